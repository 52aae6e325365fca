#include "worker/lines.h"

#include "proto/program/log.h"
#include "proto/wire.h"

#include <string.h>

static void say(const pt_speaker_t *speaker, const char *text)
{
    pt_log(PT_INFO, text, PT_S("pipeline", speaker->job_type), PT_N("slot", speaker->slot),
           PT_N("pid", speaker->pid));
}

static void say_dropped(pt_lines_t *self, const pt_speaker_t *speaker)
{
    if (self->dropped > 0)
        pt_log(PT_WARNING, "the pipeline wrote too much to standard error",
               PT_S("pipeline", speaker->job_type), PT_N("slot", speaker->slot),
               PT_N("lines_left_out", self->dropped));
    self->dropped = 0;
}

static bool within_rate(pt_lines_t *self, int64_t now)
{
    if (now / 1000 != self->second) {
        self->second = now / 1000;
        self->said = 0;
    }
    return self->said < PT_LINES_A_SECOND;
}

static void end_line(pt_lines_t *self, const pt_speaker_t *speaker)
{
    self->text[self->size] = 0;
    if (!pt_text_valid(self->text, self->size))
        for (size_t i = 0; i < self->size; i++)
            if (self->text[i] < ' ')
                self->text[i] = '?';
    if (self->size == 0)
        return;
    self->size = 0;
    if (!within_rate(self, speaker->now)) {
        self->dropped++;
        return;
    }
    say_dropped(self, speaker);
    self->said++;
    say(speaker, self->text);
}

void pt_lines_add(pt_lines_t *self, const pt_speaker_t *speaker, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n')
            self->text[self->size++] = data[i];
        if (data[i] == '\n' || self->size == PT_LINE_MAX)
            end_line(self, speaker);
    }
}

void pt_lines_end(pt_lines_t *self, const pt_speaker_t *speaker)
{
    end_line(self, speaker);
    say_dropped(self, speaker);
}
