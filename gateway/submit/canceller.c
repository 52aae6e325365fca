#include "gateway/submit/canceller.h"

#include "gateway/links/announce.h"
#include "gateway/store/batches.h"
#include "gateway/store/move.h"
#include "proto/program/process.h"

#define AGAIN_MS 50
#define EDGE_MS 1000
#define PIECE "250" /* jobs of a batch that are ended in one transaction */

struct pt_canceller {
    pt_pool_t *pool;
    pt_links_t *links;
};

pt_canceller_t *pt_canceller_new(pt_pool_t *pool, pt_links_t *links)
{
    pt_canceller_t *self = zmalloc(sizeof *self);
    self->pool = pool;
    self->links = links;
    return self;
}

void pt_canceller_destroy(pt_canceller_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

/* ---- after the commit -------------------------------------------------------------------- */

/* Both statements have attempt, at, seq and timeline at the same places. */
static void publish(pt_canceller_t *self, const pt_uuid_t *org, const pt_uuid_t *job,
                    const char *job_type, const PGresult *rows, int row)
{
    pt_event_t event = {.type = "canceled",
                        .status = "canceled",
                        .attempt = (uint32_t)atoi(PQgetvalue(rows, row, 3)),
                        .at = strtoll(PQgetvalue(rows, row, 4), NULL, 10)};
    pt_announcement_t about = {.job_id = *job,
                               .org_id = *org,
                               .job_type = job_type,
                               .seq = strtoull(PQgetvalue(rows, row, 5), NULL, 10),
                               .timeline = strtoull(PQgetvalue(rows, row, 6), NULL, 10)};
    pt_announce(self->links, &about, &event);
}

/* Any broker may have it. One that is told in vain drops it, and a worker that nobody reached is
   told when it next says something of the job. */
static void stop(pt_canceller_t *self, const pt_uuid_t *job, uint32_t attempt)
{
    pt_ticket_t tickets[PT_LINKS_MAX];
    int count = pt_links_sessions(self->links, tickets);
    for (int i = 0; i < count; i++)
        pt_send_stop(self->links, &tickets[i], job, attempt);
}

/* After a commit whose answer was lost, so that the numbers of its events are lost too: subscribers
   learn where the events end, and read them. */
static const pt_sql_t sql_edge = {
    "edge_of", "select seq, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)"
               "::bigint from event_counters where org_id = $1::uuid"};

static void say_edge(pt_canceller_t *self, const pt_uuid_t *org)
{
    char org_text[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(org, org_text)};
    PGresult *rows = NULL;
    if (pt_pool_run(self->pool, &sql_edge, params, 1, EDGE_MS, &rows) == PT_PG_OK &&
        PQntuples(rows) == 1)
        pt_announce_edge(self->links, org, strtoull(PQgetvalue(rows, 0, 0), NULL, 10),
                         strtoull(PQgetvalue(rows, 0, 1), NULL, 10));
    PQclear(rows);
}

/* It had ended, perhaps by a commit of ours whose answer was lost. */
static pt_cancel_t follow_up_ended(pt_canceller_t *self, const pt_uuid_t *org, const pt_uuid_t *job,
                                   const PGresult *rows, bool lost)
{
    if (!lost || *PQgetvalue(rows, 0, 7) != 't')
        return PT_CANCEL_ENDED;
    say_edge(self, org);
    stop(self, job, (uint32_t)atoi(PQgetvalue(rows, 0, 3)));
    return PT_CANCEL_DONE;
}

static pt_cancel_t follow_up(pt_canceller_t *self, const pt_uuid_t *org, const pt_uuid_t *job,
                             const PGresult *rows, bool lost)
{
    if (PQntuples(rows) == 0)
        return PT_CANCEL_NOT_FOUND;
    if (*PQgetvalue(rows, 0, 0) != 't')
        return follow_up_ended(self, org, job, rows, lost);
    publish(self, org, job, PQgetvalue(rows, 0, 2), rows, 0);
    if (*PQgetvalue(rows, 0, 1) == 't')
        stop(self, job, (uint32_t)atoi(PQgetvalue(rows, 0, 3)));
    return PT_CANCEL_DONE;
}

/* ---- the statement ----------------------------------------------------------------------- */

pt_cancel_t pt_canceller_cancel(pt_canceller_t *self, const pt_uuid_t *org, const pt_uuid_t *job,
                                const char *request_id)
{
    char org_text[PT_UUID_TEXT], job_text[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(org, org_text), pt_uuid_format(job, job_text),
                                  request_id};
    int64_t until = pt_clock_ms() + PT_CANCEL_MS;
    for (bool lost = false;;) {
        PGresult *rows = NULL;
        int left = (int)(until - pt_clock_ms());
        if (left <= 0)
            return PT_CANCEL_UNAVAILABLE;
        pt_pg_outcome_t outcome =
            pt_pool_run_once(self->pool, &pt_sql_cancel, params, 3, left, &rows);
        pt_cancel_t answer = PT_CANCEL_UNAVAILABLE;
        if (outcome == PT_PG_OK)
            answer = follow_up(self, org, job, rows, lost);
        PQclear(rows);
        if (outcome == PT_PG_OK || outcome == PT_PG_REFUSED)
            return answer;
        lost = lost || outcome == PT_PG_AWAY;
        usleep(AGAIN_MS * 1000);
    }
}

/* ---- a batch ----------------------------------------------------------------------------- */

/* How many of them it ended: somebody else may hold the others. */
static size_t follow_up_piece(pt_canceller_t *self, const pt_uuid_t *org, const PGresult *rows)
{
    size_t ended = 0;
    for (int row = 0; row < PQntuples(rows); row++) {
        pt_uuid_t job;
        if (*PQgetvalue(rows, row, 1) != 't')
            continue;
        ended++;
        pt_uuid_parse(&job, PQgetvalue(rows, row, 0), PT_UUID_TEXT - 1);
        publish(self, org, &job, PQgetvalue(rows, row, 7), rows, row);
        if (*PQgetvalue(rows, row, 2) == 't')
            stop(self, &job, (uint32_t)atoi(PQgetvalue(rows, row, 3)));
    }
    return ended;
}

/* Marks the batch as canceled, if something of it is open. */
static pt_pg_outcome_t begin_batch(pt_canceller_t *self, const char *const *params, int left,
                                   pt_cancel_t *answer)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pool_run(self->pool, &pt_sql_cancel_batch, params, 2, left, &rows);
    if (outcome == PT_PG_OK)
        *answer = PQntuples(rows) == 0 ? PT_CANCEL_NOT_FOUND
                  : *PQgetvalue(rows, 0, 0) == 't' || *PQgetvalue(rows, 0, 1) == 't'
                      ? PT_CANCEL_DONE
                      : PT_CANCEL_ENDED;
    PQclear(rows);
    return outcome;
}

/* `*none`: nothing is left. Workers of a piece whose answer was lost are told when they next say
   something. */
static pt_pg_outcome_t cancel_piece(pt_canceller_t *self, const pt_uuid_t *org,
                                    const char *const *params, int left, bool *none)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome =
        pt_pool_run_once(self->pool, &pt_sql_cancel_batch_jobs, params, 3, left, &rows);
    if (outcome == PT_PG_OK) {
        *none = PQntuples(rows) == 0;
        if (follow_up_piece(self, org, rows) == 0 && !*none)
            usleep(AGAIN_MS * 1000);
    }
    PQclear(rows);
    return outcome;
}

pt_cancel_t pt_canceller_cancel_batch(pt_canceller_t *self, const pt_uuid_t *org,
                                      const pt_uuid_t *batch, const char *request_id)
{
    char org_text[PT_UUID_TEXT], batch_text[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(org, org_text), pt_uuid_format(batch, batch_text)};
    const char *const piece[] = {batch_text, request_id, PIECE};
    int64_t until = pt_clock_ms() + PT_CANCEL_BATCH_MS;
    pt_cancel_t answer = PT_CANCEL_UNAVAILABLE;
    if (begin_batch(self, params, PT_CANCEL_MS, &answer) != PT_PG_OK || answer != PT_CANCEL_DONE)
        return answer;
    for (bool none = false, lost = false; !none;) {
        int left = (int)(until - pt_clock_ms());
        if (left <= 0)
            return PT_CANCEL_UNAVAILABLE;
        pt_pg_outcome_t outcome = cancel_piece(self, org, piece, left, &none);
        if (outcome == PT_PG_OK && lost)
            say_edge(self, org);
        if (outcome != PT_PG_OK)
            usleep(AGAIN_MS * 1000);
        lost = outcome == PT_PG_AWAY || (lost && outcome != PT_PG_OK);
    }
    return PT_CANCEL_DONE;
}
