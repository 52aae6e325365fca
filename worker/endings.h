/* The endings that nobody has settled yet. Each is kept, encoded, until it is; and published again
   after 1, 2, 4, 8, 16 and then each 30 seconds, because PUB may drop it in silence. */
#ifndef PT_ENDINGS_H
#define PT_ENDINGS_H

#include "worker/outputs.h"

/* A message that is published with an ending, before it: a piece of the job's log. */
typedef struct {
    void *head, *payload; /* owned */
    size_t head_size, payload_size;
} pt_ending_log_t;

typedef struct {
    pt_uuid_t job_id;
    uint32_t attempt;
    char job_type[PT_TYPE_MAX];
    char topic[PT_TOPIC_MAX];
    size_t topic_size, head_size, payload_size;
    void *head, *payload;  /* owned */
    int64_t due, delay;    /* milliseconds: when it is published next, how long after that */
    size_t kept;           /* bytes of a large result that is kept outside; else 0 */
    pt_ending_log_t *logs; /* owned */
    size_t log_count, log_bytes;
    char log_topic[PT_TOPIC_MAX];
    size_t log_topic_size;
    pt_msg_t *unfinished; /* owned: the ending while that is being written; else NULL */
} pt_ending_t;

typedef struct {
    pt_ending_t *items; /* owned */
    size_t count, room;
    size_t bytes; /* of all heads, payloads, logs and what is kept outside */
} pt_endings_t;

void pt_endings_clear(pt_endings_t *self);

/* Keeps an ending, due at once. `result` is the message; takes `payload` (malloc'ed, or NULL). */
void pt_endings_add(pt_endings_t *self, const pt_msg_t *result, void *payload, size_t size);

/* Keeps an ending whose result of `size` bytes is being written outside: it is not published before
   pt_endings_finish. */
void pt_endings_add_unfinished(pt_endings_t *self, const pt_msg_t *result, size_t size);

/* What is to be said of that job and attempt, if it is unfinished; else NULL. Borrowed. */
const pt_msg_t *pt_endings_unfinished(const pt_endings_t *self, const pt_uuid_t *job_id,
                                      uint32_t attempt);

/* The ending of an unfinished one, due at once. What is not kept after all counts no more. */
void pt_endings_finish(pt_endings_t *self, const pt_msg_t *result, bool is_kept);

/* Adds a piece of the log to the ending of its job and attempt, which there is; takes `payload`. */
void pt_endings_add_log(pt_endings_t *self, const pt_msg_t *log, void *payload, size_t size);

const pt_ending_t *pt_endings_find(const pt_endings_t *self, const pt_uuid_t *job_id,
                                   uint32_t attempt);

/* Forgets one; false if there is none of that job and attempt. */
bool pt_endings_settle(pt_endings_t *self, const pt_uuid_t *job_id, uint32_t attempt);

/* Makes all of them due at `now`, their delays from the start: a new broker has not heard them. */
void pt_endings_restart(pt_endings_t *self, int64_t now);

/* Publishes those that are due. */
void pt_endings_publish(pt_endings_t *self, int64_t now, pt_outputs_t *out);

/* When the next one is due, INT64_MAX if there is none. */
int64_t pt_endings_due(const pt_endings_t *self);

#endif
