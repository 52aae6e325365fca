/* What a pipeline writes on standard error. Bytes: pieces, each of a length and a pause. */
#include "worker/lines.h"
#include "fuzz.h"
#include "proto/program/log.h"
#include "proto/wire.h"

static unsigned lines, second_lines;
static int64_t second;

/* In place of the log. */
void __wrap_pt_log_write(pt_level_t level, const char *message, const pt_log_field_t *fields);
void __wrap_pt_log_write(pt_level_t level, const char *message, const pt_log_field_t *fields)
{
    CHECK(fields[0].key);
    if (level != PT_INFO)
        return;
    CHECK(message[0] && strlen(message) <= PT_LINE_MAX && !strchr(message, '\n'));
    CHECK(pt_text_valid(message, strlen(message)));
    lines++;
    CHECK(++second_lines <= PT_LINES_A_SECOND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    pt_lines_t *self = calloc(1, sizeof *self);
    pt_speaker_t speaker = {.job_type = "humanization", .now = 1000};
    CHECK(self);
    second = second_lines = 0;
    while (reader.left > 0) {
        speaker.now += 100 * below(&reader, 16);
        if (speaker.now / 1000 != second)
            second_lines = 0;
        second = speaker.now / 1000;
        size_t length = next(&reader) * 8u;
        uint8_t *piece = take(&reader, &length);
        pt_lines_add(self, &speaker, (char *)piece, length);
        free(piece);
    }
    speaker.now += 1000;
    second_lines = 0;
    pt_lines_end(self, &speaker);
    free(self);
    return 0;
}
