#include "gateway/submit/batcher.h"

#include "gateway/database/array.h"
#include "gateway/links/announce.h"
#include "gateway/links/links.h"
#include "gateway/store/batches.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define PIECE 500 /* rows of a statement */
#define FLIGHT_MS 5000
#define AGAIN_MS 100
/* Events that are published one by one. Whoever follows sees from the last one's number that there
   are more, and reads them, rather than have 10,000 in every queue on the way. */
#define PUBLISHED_MAX 1000

struct pt_batcher {
    pthread_mutex_t lock;
    pthread_cond_t free;
    bool busy; /* somebody uses the connection */
    pt_pg_t *pg;
    pt_links_t *links;
    pt_waits_fn *waits;
    void *context;
};

/* A batch on its way. */
typedef struct {
    const pt_new_batch_t *batch;
    pt_uuid_t id;
    pt_uuid_t *jobs, *variants,
        *candidates; /* owned; `variants` and `candidates` only of molecules */
    uint64_t first_seq;
    int64_t created_at;
} making_t;

pt_batcher_t *pt_batcher_new(const char *uri, pt_links_t *links, pt_waits_fn *waits, void *context)
{
    pt_batcher_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->free);
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->waits = waits;
    self->context = context;
    return self;
}

void pt_batcher_destroy(pt_batcher_t **self_p)
{
    pt_batcher_t *self = *self_p;
    if (!self)
        return;
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->free);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

/* ---- identifiers ------------------------------------------------------------------------- */

/* In ascending order: jobs are handed out by it, and numbered. */
static pt_uuid_t *make_ids(size_t count)
{
    int64_t now = pt_wall_us();
    pt_uuid_t *ids = zmalloc(count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = pt_uuid_new(now);
    qsort(ids, count, sizeof *ids, pt_uuid_compare);
    return ids;
}

static void making_init(making_t *self, const pt_new_batch_t *batch)
{
    *self = (making_t){.batch = batch, .id = pt_uuid_new(pt_wall_us())};
    self->jobs = make_ids(batch->count);
    if (batch->molecules) {
        self->variants = make_ids(batch->count);
        self->candidates = make_ids(batch->count);
    }
}

static void making_clear(making_t *self)
{
    free(self->jobs);
    free(self->variants);
    free(self->candidates);
}

static const pt_uuid_t *variant_of(const making_t *making, size_t i)
{
    return making->variants ? &making->variants[i] : &making->batch->variants[i];
}

/* ---- the transaction --------------------------------------------------------------------- */

static pt_pg_outcome_t begin(pt_batcher_t *self, const making_t *making)
{
    const pt_new_batch_t *batch = making->batch;
    char id[PT_UUID_TEXT], org[PT_UUID_TEXT], priority[12], total[24];
    snprintf(priority, sizeof priority, "%d", batch->priority);
    snprintf(total, sizeof total, "%zu", batch->count);
    const char *const params[] = {pt_uuid_format(&making->id, id),
                                  pt_uuid_format(&batch->org_id, org),
                                  batch->name,
                                  batch->job_type,
                                  priority,
                                  batch->options,
                                  total};
    const pt_pg_step_t steps[] = {{&pt_sql_begin, NULL, 0}, {&pt_sql_add_batch, params, 7}};
    return pt_pg_flight(self->pg, steps, 2, FLIGHT_MS, NULL);
}

static pt_pg_outcome_t add_molecules(pt_batcher_t *self, const making_t *making, size_t from,
                                     size_t to)
{
    char org[PT_UUID_TEXT];
    pt_array_t arrays[5] = {{0}};
    const char *params[6] = {pt_uuid_format(&making->batch->org_id, org)};
    for (size_t i = from; i < to; i++) {
        const pt_batch_molecule_t *molecule = &making->batch->molecules[i];
        pt_array_uuid(&arrays[0], &making->candidates[i]);
        pt_array_uuid(&arrays[1], &making->variants[i]);
        pt_array_text(&arrays[2], molecule->name);
        pt_array_text(&arrays[3], molecule->format);
        pt_array_text(&arrays[4], molecule->chains);
    }
    for (int i = 0; i < 5; i++)
        params[1 + i] = pt_array_end(&arrays[i]);
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_add_molecules, params, 6, FLIGHT_MS, NULL);
    for (int i = 0; i < 5; i++)
        pt_array_clear(&arrays[i]);
    return outcome;
}

static pt_pg_outcome_t add_jobs(pt_batcher_t *self, const making_t *making, size_t from, size_t to)
{
    char id[PT_UUID_TEXT];
    pt_array_t jobs = {0}, variants = {0};
    for (size_t i = from; i < to; i++) {
        pt_array_uuid(&jobs, &making->jobs[i]);
        pt_array_uuid(&variants, variant_of(making, i));
    }
    const char *const params[] = {pt_uuid_format(&making->id, id), pt_array_end(&jobs),
                                  pt_array_end(&variants), making->batch->request_id};
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_add_batch_jobs, params, 4, FLIGHT_MS, NULL);
    pt_array_clear(&jobs);
    pt_array_clear(&variants);
    return outcome;
}

static pt_pg_outcome_t announce_and_commit(pt_batcher_t *self, making_t *making)
{
    char id[PT_UUID_TEXT];
    PGresult *results[2];
    const char *const params[] = {pt_uuid_format(&making->id, id)};
    const pt_pg_step_t steps[] = {{&pt_sql_announce_batch, params, 1}, {&pt_sql_commit, NULL, 0}};
    pt_pg_outcome_t outcome = pt_pg_flight(self->pg, steps, 2, FLIGHT_MS, results);
    if (outcome == PT_PG_OK) {
        making->first_seq = strtoull(PQgetvalue(results[0], 0, 0), NULL, 10);
        making->created_at = strtoll(PQgetvalue(results[0], 0, 1), NULL, 10);
        PQclear(results[0]);
        PQclear(results[1]);
    }
    return outcome;
}

static pt_pg_outcome_t write_all(pt_batcher_t *self, making_t *making)
{
    size_t count = making->batch->count;
    pt_pg_outcome_t outcome = begin(self, making);
    for (size_t from = 0; outcome == PT_PG_OK && from < count; from += PIECE) {
        size_t to = from + PIECE < count ? from + PIECE : count;
        if (making->batch->molecules)
            outcome = add_molecules(self, making, from, to);
        if (outcome == PT_PG_OK)
            outcome = add_jobs(self, making, from, to);
    }
    return outcome == PT_PG_OK ? announce_and_commit(self, making) : outcome;
}

/* The commit's answer was lost: whether it went through all the same. */
static bool was_made(pt_batcher_t *self, making_t *making)
{
    char id[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(&making->id, id)};
    PGresult *rows = NULL;
    pt_pg_run(self->pg, &pt_sql_is_batch, params, 1, FLIGHT_MS, &rows);
    bool made = rows && PQntuples(rows) > 0;
    if (made) {
        making->first_seq = strtoull(PQgetvalue(rows, 0, 0), NULL, 10);
        making->created_at = strtoll(PQgetvalue(rows, 0, 1), NULL, 10);
    }
    PQclear(rows);
    return made;
}

/* Tries until the time is over. A commit that is still on its way when was_made looks meets the
   next try's rows: the batch's id is the same, so one of the two is refused. */
static pt_submit_t make_until(pt_batcher_t *self, making_t *making, int64_t until)
{
    for (;;) {
        pt_pg_outcome_t outcome = write_all(self, making);
        if (outcome == PT_PG_OK || was_made(self, making))
            return PT_SUBMIT_CREATED;
        if (outcome == PT_PG_REFUSED)
            return pt_pg_failed_by(self->pg, "23503") ? PT_SUBMIT_NOT_FOUND : PT_SUBMIT_UNAVAILABLE;
        pt_log(PT_WARNING, "a batch could not be committed", PT_S("why", pt_pg_error(self->pg)));
        if (pt_clock_ms() + AGAIN_MS >= until)
            return PT_SUBMIT_UNAVAILABLE;
        usleep(AGAIN_MS * 1000);
    }
}

/* ---- after the commit -------------------------------------------------------------------- */

static void publish(pt_batcher_t *self, const making_t *making, size_t i)
{
    pt_event_t event = {
        .type = "created", .status = "pending", .attempt = 1, .at = making->created_at};
    snprintf(event.request, sizeof event.request, "%.*s", PT_NAME_MAX - 1,
             making->batch->request_id);
    event.variant_id = *variant_of(making, i);
    event.has_origin = true;
    pt_announcement_t about = {.job_id = making->jobs[i],
                               .org_id = making->batch->org_id,
                               .job_type = making->batch->job_type,
                               .seq = making->first_seq + i,
                               .timeline = pt_pg_timeline(self->pg),
                               .waiting = true};
    pt_announce(self->links, &about, &event);
}

static void follow_up(pt_batcher_t *self, const making_t *making)
{
    size_t count = making->batch->count;
    self->waits(self->context, making->batch->job_type, 0);
    for (size_t i = 0; i < count && i < PUBLISHED_MAX; i++)
        publish(self, making, i);
    if (count > PUBLISHED_MAX)
        publish(self, making, count - 1);
}

/* ---- one at a time ----------------------------------------------------------------------- */

static bool enter(pt_batcher_t *self, int64_t until)
{
    struct timespec at = pt_until(until);
    pthread_mutex_lock(&self->lock);
    while (self->busy)
        if (pthread_cond_timedwait(&self->free, &self->lock, &at) != 0)
            break;
    bool entered = !self->busy;
    self->busy = true;
    pthread_mutex_unlock(&self->lock);
    return entered;
}

static void leave(pt_batcher_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->busy = false;
    pthread_cond_signal(&self->free);
    pthread_mutex_unlock(&self->lock);
}

pt_submit_t pt_batcher_make(pt_batcher_t *self, const pt_new_batch_t *batch, pt_uuid_t *id)
{
    int64_t until = pt_clock_ms() + PT_BATCH_MS;
    if (!enter(self, until))
        return PT_SUBMIT_UNAVAILABLE;
    making_t making;
    making_init(&making, batch);
    pt_submit_t outcome = make_until(self, &making, until);
    if (outcome == PT_SUBMIT_CREATED)
        follow_up(self, &making);
    *id = making.id;
    making_clear(&making);
    leave(self);
    return outcome;
}
