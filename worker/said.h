/* What is said to a pipeline and by it: the messages of proto/PIPELINE.md. Bytes in, bytes out. */
#ifndef PT_SAID_H
#define PT_SAID_H

#include "proto/message.h"

typedef enum { PT_SAID_PROGRESS, PT_SAID_RESULT, PT_SAID_ERROR, PT_SAID_DECLARE } pt_said_kind_t;

typedef struct {
    pt_said_kind_t kind;
    char step[PT_NAME_MAX]; /* progress */
    double fraction;
    const void *results, *versions; /* result: one msgpack object each, borrowed from the message */
    size_t results_size, versions_size;
    const void *files; /* the same; NULL: there are none */
    size_t files_size;
    char code[PT_NAME_MAX]; /* error */
    char message[PT_TEXT_MAX + 1];
    bool retry;
    const void *partial; /* error: a map, borrowed; NULL: there is none */
    size_t partial_size;
    bool partial_unfit;   /* there is one, but it is no map or too large */
    const void *declared; /* declare: the message, for pt_declared_read; borrowed */
    size_t declared_size;
} pt_said_t;

/* Reads one whole message (as pt_framing_next found it). Returns NULL, or what is wrong with it.
   Text that is too long is cut: a long traceback is no reason to kill a pipeline. */
const char *pt_said_read(pt_said_t *self, const void *data, size_t size);

/* Appends the message that starts a job; `inputs` is one msgpack object and goes in as it is. */
void pt_said_job(msgpack_sbuffer *out, const pt_uuid_t *job_id, const char *job_type,
                 uint32_t attempt, const void *inputs, size_t size);

#endif
