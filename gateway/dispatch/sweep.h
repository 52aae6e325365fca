/* Beside the active recorder: hands out what waits, within credit, and asks the brokers for what is
 * out. Woken by credit, by jobs that wait and by the next due time; nothing polls, but for one look
 * each half minute in case a wake-up was lost.
 */
#ifndef PT_SWEEP_H
#define PT_SWEEP_H

#include "gateway/record/recorder.h"

typedef struct pt_sweep pt_sweep_t;

/* `links` and `recorder` are borrowed. The thread does nothing until it is set active. */
pt_sweep_t *pt_sweep_new(const char *uri, pt_links_t *links, pt_recorder_t *recorder);
void pt_sweep_destroy(pt_sweep_t **self);
void pt_sweep_set_active(pt_sweep_t *self, bool active);

/* Wake-ups, from any thread. */
void pt_sweep_waits(pt_sweep_t *self, const char *job_type,
                    int64_t due_in_ms); /* NULL: some type */
void pt_sweep_credit(pt_sweep_t *self);
void pt_sweep_ended(pt_sweep_t *self);    /* jobs that were out are so no longer */
void pt_sweep_settings(pt_sweep_t *self); /* limits or queue time-outs are others */
/* A gateway's event passed by; `is_new`: its number is above the last that we know. */
void pt_sweep_event(pt_sweep_t *self, const pt_msg_t *event, bool is_new);

/* What brokers say. */
void pt_sweep_brokers(pt_sweep_t *self, int gone);
void pt_sweep_held(pt_sweep_t *self, int broker, uint64_t number, const pt_refs_t *held);
void pt_sweep_gone(pt_sweep_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool certain,
                   bool counts, const char *reason);

typedef struct {
    uint64_t handed_out, rounds, lost, out;
} pt_sweep_counts_t;
pt_sweep_counts_t pt_sweep_counts(pt_sweep_t *self);

#endif
