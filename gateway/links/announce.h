/* What follows a commit: jobs go to a broker or are stopped, events go to all who subscribe. */
#ifndef PT_ANNOUNCE_H
#define PT_ANNOUNCE_H

#include "gateway/database/pg.h"
#include "gateway/dispatch/inputs.h"
#include "gateway/dispatch/rounds.h"
#include "gateway/links/links.h"
#include "gateway/record/fold.h"

/* A job as the statement that handed it out tells it; everything is borrowed. */
typedef struct {
    pt_ticket_t ticket;
    pt_uuid_t job_id, org_id;
    uint32_t attempt;
    int priority, weight; /* class of the job, turns of its organisation */
    const char *job_type;
    pt_inputs_t inputs;
} pt_job_parcel_t;

/* Sends the job to the ticket's broker, not after `expires` (clock ms); inputs that do not fit are
   only named, and whoever computes fetches them (supplier.h). Or says why nobody can compute it. */
const pt_inputs_fault_t *pt_send_job(pt_links_t *links, const pt_job_parcel_t *job,
                                     int64_t expires);

/* Says that nobody wants this attempt. */
void pt_send_stop(pt_links_t *links, const pt_ticket_t *to, const pt_uuid_t *job, uint32_t attempt);

/* Which job an event is about, and its number. */
typedef struct {
    pt_uuid_t job_id, org_id;
    const char *job_type;
    uint64_t seq, timeline;
    bool waiting; /* the job may be handed out */
} pt_announcement_t;

/* Publishes a committed event at every broker. */
void pt_announce(pt_links_t *links, const pt_announcement_t *about, const pt_event_t *event);

/* Publishes an organisation's last number at once, for events that may not have been published. */
void pt_announce_edge(pt_links_t *links, const pt_uuid_t *org_id, uint64_t seq, uint64_t timeline);

/* Reads the organisations' last numbers from the table, all or those of the array parameter, so
   that they are repeated: whatever was committed without being published shows up there. */
pt_pg_outcome_t pt_refresh_edges(pt_links_t *links, pt_pg_t *pg, const char *org_ids);

#endif
