/* What a pipeline process may use at most. */
#ifndef PT_LIMITS_H
#define PT_LIMITS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t memory; /* bytes; 0 means no limit in all three */
    int64_t cpu;    /* seconds of each process in a job */
    int64_t files;  /* open descriptors of each process */
} pt_limits_t;

#define PT_LIMITS_TEXT 80

/* Reads "memory=2G,cpu=3600,files=64", each at most once and none needed; bytes may end in K, M, G
   or T. Returns NULL, or what is wrong. */
const char *pt_limits_read(pt_limits_t *self, const char *text);

/* The same text, with plain numbers. */
void pt_limits_write(const pt_limits_t *self, char text[PT_LIMITS_TEXT]);

#endif
