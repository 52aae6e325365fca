#include "gateway/database/gather.h"

#include "gateway/database/array.h"

#include "proto/program/process.h"

#include <pthread.h>
#include <sys/queue.h>

/* One request; it lives on its thread's stack. */
typedef struct request {
    const pt_uuid_t *org, *id;
    int64_t until;
    char *text;
    pt_pg_outcome_t outcome;
    bool taken, done;
    pthread_cond_t turn; /* it is done, or it is its turn to ask */
    STAILQ_ENTRY(request) link;
} request_t;

struct pt_gather {
    pthread_mutex_t lock;
    pt_pool_t *pool;
    const pt_sql_t *sql;
    STAILQ_HEAD(, request) waiting;
    size_t flights;
};

pt_gather_t *pt_gather_new(pt_pool_t *pool, const pt_sql_t *sql)
{
    pt_gather_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    STAILQ_INIT(&self->waiting);
    self->pool = pool;
    self->sql = sql;
    return self;
}

void pt_gather_destroy(pt_gather_t **self_p)
{
    pt_gather_t *self = *self_p;
    if (!self)
        return;
    assert(STAILQ_EMPTY(&self->waiting) && self->flights == 0);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

/* ---- one query --------------------------------------------------------------------------- */

static size_t take(pt_gather_t *self, request_t *batch[PT_GATHER_MAX])
{
    size_t count = 0;
    while (count < PT_GATHER_MAX && !STAILQ_EMPTY(&self->waiting)) {
        batch[count] = STAILQ_FIRST(&self->waiting);
        STAILQ_REMOVE_HEAD(&self->waiting, link);
        batch[count++]->taken = true;
    }
    return count;
}

/* Within the time of the one that came last: nobody's answer fails because another had waited
 * longer. */
static pt_pg_outcome_t ask(pt_gather_t *self, request_t **batch, size_t count, PGresult **rows)
{
    pt_array_t orgs = {0}, ids = {0};
    int deadline_ms = (int)(batch[count - 1]->until - pt_clock_ms());
    for (size_t i = 0; i < count; i++) {
        pt_array_uuid(&orgs, batch[i]->org);
        pt_array_uuid(&ids, batch[i]->id);
    }
    const char *const params[] = {pt_array_end(&orgs), pt_array_end(&ids)};
    pt_pg_outcome_t outcome =
        pt_pool_run(self->pool, self->sql, params, 2, deadline_ms > 1 ? deadline_ms : 1, rows);
    pt_array_clear(&orgs);
    pt_array_clear(&ids);
    return outcome;
}

static void hand_over(request_t **batch, size_t count, pt_pg_outcome_t outcome,
                      const PGresult *rows)
{
    for (size_t i = 0; i < count; i++)
        batch[i]->outcome = outcome;
    for (int row = 0; outcome == PT_PG_OK && row < PQntuples(rows); row++) {
        request_t *request = batch[atoi(PQgetvalue(rows, row, 0)) - 1];
        request->text = strdup(PQgetvalue(rows, row, 1));
        assert(request->text);
    }
}

static void pass_turn(pt_gather_t *self)
{
    if (!STAILQ_EMPTY(&self->waiting))
        pthread_cond_signal(&STAILQ_FIRST(&self->waiting)->turn);
}

/* Asks for all that wait, this thread's own request among them unless there are too many; the lock
   is not held meanwhile. */
static void fly(pt_gather_t *self)
{
    request_t *batch[PT_GATHER_MAX];
    PGresult *rows = NULL;
    size_t count = take(self, batch);
    self->flights++;
    pthread_mutex_unlock(&self->lock);
    pt_pg_outcome_t outcome = ask(self, batch, count, &rows);
    hand_over(batch, count, outcome, rows);
    PQclear(rows);
    pthread_mutex_lock(&self->lock);
    self->flights--;
    for (size_t i = 0; i < count; i++) {
        batch[i]->done = true;
        pthread_cond_signal(&batch[i]->turn);
    }
    pass_turn(self);
}

/* ---- one request ------------------------------------------------------------------------- */

/* Until it is done, or its turn to ask. False: time is up, and nobody asks for it. */
static bool wait_turn(pt_gather_t *self, request_t *request)
{
    struct timespec at = pt_until(request->until);
    while (!request->done && (request->taken || self->flights == PT_GATHER_FLIGHTS)) {
        if (request->taken) /* whoever took it has a deadline */
            pthread_cond_wait(&request->turn, &self->lock);
        else if (pthread_cond_timedwait(&request->turn, &self->lock, &at) != 0 && !request->taken)
            return false;
    }
    return true;
}

pt_pg_outcome_t pt_gather_read(pt_gather_t *self, const pt_uuid_t *org, const pt_uuid_t *id,
                               int deadline_ms, char **text)
{
    request_t request = {
        .org = org, .id = id, .until = pt_clock_ms() + deadline_ms, .outcome = PT_PG_AWAY};
    pt_cond_init(&request.turn);
    pthread_mutex_lock(&self->lock);
    STAILQ_INSERT_TAIL(&self->waiting, &request, link);
    while (!request.done) {
        if (!wait_turn(self, &request)) {
            STAILQ_REMOVE(&self->waiting, &request, request, link);
            pass_turn(self); /* it may have been this one's */
            break;
        }
        if (!request.done)
            fly(self);
    }
    pthread_mutex_unlock(&self->lock);
    pthread_cond_destroy(&request.turn);
    *text = request.text;
    return request.outcome;
}
