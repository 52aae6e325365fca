/* Stores what pipelines write on standard error, as workers publish it. A thread and a connection
 * of its own, so that whatever becomes of it, endings neither wait for it nor fail with it. Only
 * the leader's works. What cannot be stored is dropped: an ending that is not settled yet brings
 * all of its job's pieces again.
 */
#ifndef PT_LOGS_H
#define PT_LOGS_H

#include "proto/message.h"

typedef struct pt_logs pt_logs_t;

/* Starts the thread. Logs older than `keep_days` are removed, in small pieces, by who leads; 0:
 * never. */
pt_logs_t *pt_logs_new(const char *uri, int keep_days);
void pt_logs_destroy(pt_logs_t **self);

/* Off: what waits is dropped. */
void pt_logs_set_active(pt_logs_t *self, bool active);

/* Takes a `log` message, copied; `payload` is its text as msgpack. False if it is none that could
   be stored; dropped in silence if too many wait. */
bool pt_logs_take(pt_logs_t *self, const pt_msg_t *msg, const void *payload, size_t size);

typedef struct {
    uint64_t stored, dropped; /* pieces; a piece that has grown counts anew */
} pt_logs_counts_t;
pt_logs_counts_t pt_logs_counts(pt_logs_t *self);

#endif
