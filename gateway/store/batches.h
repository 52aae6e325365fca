/* The statements that make and cancel batches. A batch is made by one transaction of many flights:
 * begin, pt_sql_add_batch, the molecules and jobs in pieces, and last pt_sql_announce_batch and
 * commit together, so that the organisation's counter is locked for as short as can be.
 */
#ifndef PT_STORE_BATCHES_H
#define PT_STORE_BATCHES_H

#include "gateway/database/pg.h"

/* (id, org_id, name or null, job_type, priority, options or null, total) */
extern const pt_sql_t pt_sql_add_batch;

/* (org_id, candidate ids, variant ids, names, formats, chains) */
extern const pt_sql_t pt_sql_add_molecules;

/* (batch id, job ids, variant ids, request id) All of them wait. What is not the organisation's own
   variant is left out. */
extern const pt_sql_t pt_sql_add_batch_jobs;

/* (batch id) → number of the first event, created_at (µs). Refused if jobs are missing. */
extern const pt_sql_t pt_sql_announce_batch;

/* (batch id) → created_at (µs), number of the event of its first job by id; no row if there is no
   such batch */
extern const pt_sql_t pt_sql_is_batch;

/* (org_id, batch id) → whether it was canceled before, whether something of it was open now: then
   it counts as canceled. No row if there is no such batch */
extern const pt_sql_t pt_sql_cancel_batch;

/* (batch id, request id, limit) → job id, changed, was out, attempt, at (µs), event seq, timeline,
   job_type; a row for each that was looked at, none when none is left */
extern const pt_sql_t pt_sql_cancel_batch_jobs;

#endif
