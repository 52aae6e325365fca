/* What a pipeline writes to its standard error, as lines of the log: bounded in length and rate. */
#ifndef PT_LINES_H
#define PT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_LINE_MAX 1000
#define PT_LINES_A_SECOND 20

typedef struct {
    char text[PT_LINE_MAX + 1];
    size_t size;
    int64_t second; /* the one that `said` counts in */
    unsigned said;
    uint64_t dropped; /* lines since the last one that was logged */
} pt_lines_t;

/* Who speaks: borrowed. */
typedef struct {
    const char *job_type;
    int64_t slot, pid, now; /* now in milliseconds */
} pt_speaker_t;

/* Logs each line that is complete; a line that is too long becomes several. */
void pt_lines_add(pt_lines_t *self, const pt_speaker_t *speaker, const char *data, size_t size);

/* The speaker has ended: logs what has no line end, and how many lines were left out. */
void pt_lines_end(pt_lines_t *self, const pt_speaker_t *speaker);

#endif
