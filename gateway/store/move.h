/* The statements that move jobs. Arrays are parameters made with pt_array_*; times are text made
 * with pt_time_format. What handlers read stands in read.h.
 */
#ifndef PT_STORE_MOVE_H
#define PT_STORE_MOVE_H

#include "gateway/database/array.h"
#include "gateway/database/pg.h"

/* (ids, org_ids, variant_ids, job_types, reserved, priorities, request ids or null, resubmitted ids
   or null, options or null, batch ids or null) → n, is_out, created_at (µs), event seq or null,
   name, format, chains, options or null */
#define PT_SUBMIT_PARAMS 10
extern const pt_sql_t pt_sql_submit;

/* (ids) → id, org_id, job_type, status, waiting, attempt, tries, losses, created_at, started_at
   (µs or null), step, fraction, now (µs), in the order of the ids. A row for each id: org_id is
   null if there is no such job, and status is null if somebody else holds its lock. The others are
   locked. */
extern const pt_sql_t pt_sql_lock_jobs;

/* (ids, statuses, attempts, tries, losses, due in µs or null, started_ats, completed_ats, steps,
   fractions, codes, messages, details) */
extern const pt_sql_t pt_sql_update_jobs;

/* (ids, results, model_versions, files) */
extern const pt_sql_t pt_sql_insert_results;

/* (id) → attempt, whether it has ended, variant id, name, format, chains, options, and of each
   earlier job that comes along job_type, id, results, files: a row for each, one with nulls if
   there is none. See job_inputs.h. */
extern const pt_sql_t pt_sql_job_inputs;

/* (id, org_id, job_type, attempt) → whether an ending of that attempt would change the job */
extern const pt_sql_t pt_sql_awaits_ending;

/* (job_ids, org_ids, job_types, types, statuses, attempts, ats, details) → n, seq */
extern const pt_sql_t pt_sql_append_events;

/* Before each pt_sql_hand_out, in the same transaction: what another one handed out is seen then,
   so that two leaders for a moment do not exceed a limit together. */
extern const pt_sql_t pt_sql_lock_hand_out;

/* (job_type, limit, turns {org id: next}, turn of now; see turns.h) → id, org_id, attempt,
   variant_id, name, format, chains, options or null, priority, weight, turn, large; in the order in
   which they are to be sent. large: there is more to it than is read many at a time: earlier jobs,
   long options */
extern const pt_sql_t pt_sql_hand_out;

/* (org_id, job_id, request id) → changed, was out, job_type, attempt, at (µs), event seq or null,
   timeline, is canceled; no row if there is no such job */
extern const pt_sql_t pt_sql_cancel;

/* (job_type) → milliseconds until the first waiting job is due that no limit holds back, or null;
   whether a limit holds something back */
extern const pt_sql_t pt_sql_next_due;

/* () → job_type, max_tries, retry_after, retry_most (µs) of the types with settings */
extern const pt_sql_t pt_sql_patiences;

/* (job types, others) Nobody serves the first while something waits: since when is kept. Of those
   and the others what is there stands, all else is forgotten. */
extern const pt_sql_t pt_sql_note_unserved;

/* (job_type, limit) → id, attempt, queue time-out (s) of jobs that waited for it while nobody
   served the type */
extern const pt_sql_t pt_sql_expired;

/* (job_type) → milliseconds until pt_sql_expired has something, or null */
extern const pt_sql_t pt_sql_next_expiry;

/* () → job types of which something waits */
extern const pt_sql_t pt_sql_waiting_types;

/* (id, limit) → id, attempt, job_type of jobs that are out, behind that one (all zero: the first)
 */
extern const pt_sql_t pt_sql_out_page;

/* () → org_id, seq of every organisation that has events; (org_ids) → of these */
extern const pt_sql_t pt_sql_edges, pt_sql_edges_of;

#define PT_TIME_TEXT 40
/* Microseconds since 1970 as PostgreSQL reads them exactly: 2026-11-24 06:00:00.123456+00. */
char *pt_time_format(int64_t unix_us, char text[PT_TIME_TEXT]);

#endif
