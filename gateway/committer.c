#include "gateway/committer.h"

#include "gateway/announce.h"
#include "gateway/links.h"
#include "gateway/store.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define BATCH_MAX 1024
#define QUEUE_MAX 4096
#define STATEMENT_MS 3000
#define AGAIN_MS 100

typedef enum { QUEUED, IN_FLIGHT, DONE, ABANDONED } waiter_state_t;

/* One request. The handler frees it, or, if it gave up while the batch was in flight, the
   committer. */
typedef struct waiter waiter_t;
struct waiter {
    waiter_t *next;
    pt_submission_t submission;
    pt_uuid_t job_id;
    int64_t created_at, until;
    pt_submit_t outcome;
    waiter_state_t state;
    pthread_cond_t done;
    pt_ticket_t ticket;
};

struct pt_committer {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    waiter_t *first, **last;
    size_t queued;
    bool stop;
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_waits_fn *waits;
    void *context;
    _Atomic uint64_t submitted, batches;
};

/* ---- the handlers' side ------------------------------------------------------------------ */

static void free_waiter(waiter_t *waiter)
{
    pthread_cond_destroy(&waiter->done);
    free(waiter);
}

static void unlink_waiter(pt_committer_t *self, waiter_t *waiter)
{
    waiter_t **at = &self->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (!*at)
        self->last = at;
    self->queued--;
}

static bool enqueue(pt_committer_t *self, waiter_t *waiter)
{
    if (self->stop || self->queued >= QUEUE_MAX)
        return false;
    *self->last = waiter;
    self->last = &waiter->next;
    if (self->queued++ == 0)
        pthread_cond_signal(&self->wake);
    return true;
}

/* Waits for the batch; false if it was not done in time, and the waiter is no longer the handler's.
 */
static bool await(pt_committer_t *self, waiter_t *waiter)
{
    struct timespec until = pt_until(waiter->until);
    while (waiter->state != DONE)
        if (pthread_cond_timedwait(&waiter->done, &self->lock, &until) != 0)
            break;
    if (waiter->state == IN_FLIGHT) {
        waiter->state = ABANDONED;
        return false;
    }
    if (waiter->state == QUEUED) {
        unlink_waiter(self, waiter);
        waiter->outcome = PT_SUBMIT_UNAVAILABLE;
    }
    return true;
}

pt_submit_t pt_committer_submit(pt_committer_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at)
{
    waiter_t *waiter = zmalloc(sizeof *waiter);
    waiter->submission = *submission;
    waiter->job_id = pt_uuid_new(pt_wall_us());
    waiter->until = pt_clock_ms() + wait_ms;
    waiter->outcome = PT_SUBMIT_UNAVAILABLE;
    pt_cond_init(&waiter->done);
    pthread_mutex_lock(&self->lock);
    bool own = !enqueue(self, waiter) || await(self, waiter);
    pthread_mutex_unlock(&self->lock);
    if (!own)
        return PT_SUBMIT_UNAVAILABLE;
    pt_submit_t outcome = waiter->outcome;
    *job_id = waiter->job_id;
    *created_at = waiter->created_at;
    free_waiter(waiter);
    return outcome;
}

/* ---- one batch --------------------------------------------------------------------------- */

static int by_job_id(const void *a, const void *b)
{
    const waiter_t *const *left = a, *const *right = b;
    return pt_uuid_compare(&(*left)->job_id, &(*right)->job_id);
}

static pt_pg_outcome_t insert(pt_committer_t *self, waiter_t **batch, size_t count, PGresult **rows)
{
    pt_array_t ids = {0}, orgs = {0}, variants = {0}, types = {0}, reserved = {0};
    for (size_t i = 0; i < count; i++) {
        pt_array_uuid(&ids, &batch[i]->job_id);
        pt_array_uuid(&orgs, &batch[i]->submission.org_id);
        pt_array_uuid(&variants, &batch[i]->submission.variant_id);
        pt_array_text(&types, batch[i]->submission.job_type);
        pt_array_text(&reserved, batch[i]->ticket.link >= 0 ? "t" : "f");
    }
    const char *params[] = {pt_array_end(&ids), pt_array_end(&orgs), pt_array_end(&variants),
                            pt_array_end(&types), pt_array_end(&reserved)};
    pt_pg_outcome_t outcome = pt_pg_run(self->pg, &pt_sql_submit, params, 5, STATEMENT_MS, rows);
    pt_array_clear(&ids);
    pt_array_clear(&orgs);
    pt_array_clear(&variants);
    pt_array_clear(&types);
    pt_array_clear(&reserved);
    return outcome;
}

static void send_job(pt_committer_t *self, waiter_t *waiter, PGresult *rows, int row,
                     int64_t expires)
{
    pt_job_parcel_t job = {.ticket = waiter->ticket,
                           .job_id = waiter->job_id,
                           .org_id = waiter->submission.org_id,
                           .variant_id = waiter->submission.variant_id,
                           .attempt = 1,
                           .job_type = waiter->submission.job_type,
                           .name = PQgetvalue(rows, row, 4),
                           .format = PQgetvalue(rows, row, 5),
                           .chains = PQgetvalue(rows, row, 6)};
    pt_send_job(self->links, &job, expires);
}

static void publish_created(pt_committer_t *self, const waiter_t *waiter, uint64_t seq,
                            bool waiting)
{
    pt_event_t event = {
        .type = "created", .status = "pending", .attempt = 1, .at = waiter->created_at};
    pt_announcement_t about = {.job_id = waiter->job_id,
                               .org_id = waiter->submission.org_id,
                               .job_type = waiter->submission.job_type,
                               .seq = seq,
                               .timeline = pt_pg_timeline(self->pg),
                               .waiting = waiting};
    pt_announce(self->links, &about, &event);
}

/* Sends what the statement handed out, publishes what it created. */
static void follow_up(pt_committer_t *self, waiter_t **batch, PGresult *rows)
{
    int64_t expires = pt_clock_ms() + PT_SEND_WITHIN_MS;
    for (int row = 0; row < PQntuples(rows); row++) {
        waiter_t *waiter = batch[atoi(PQgetvalue(rows, row, 0)) - 1];
        bool out = *PQgetvalue(rows, row, 1) == 't';
        waiter->created_at = strtoll(PQgetvalue(rows, row, 2), NULL, 10);
        waiter->outcome = PT_SUBMIT_CREATED;
        /* One that an earlier, unanswered commit made may have been handed out since by the sweep.
         */
        bool made_now = !PQgetisnull(rows, row, 3);
        if (out && made_now && waiter->ticket.link >= 0) {
            send_job(self, waiter, rows, row, expires);
            waiter->ticket.link = -1; /* used */
        }
        if (!out || !made_now)
            self->waits(self->context, waiter->submission.job_type, 0);
        if (made_now)
            publish_created(self, waiter, strtoull(PQgetvalue(rows, row, 3), NULL, 10), !out);
    }
    atomic_fetch_add(&self->submitted, (uint64_t)PQntuples(rows));
}

static void reserve(pt_committer_t *self, waiter_t **batch, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batch[i]->ticket = pt_links_reserve(self->links, batch[i]->submission.job_type);
}

static void release_unused(pt_committer_t *self, waiter_t **batch, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pt_links_release(self->links, &batch[i]->ticket, batch[i]->submission.job_type);
}

static int64_t patience(waiter_t **batch, size_t count)
{
    int64_t until = 0;
    for (size_t i = 0; i < count; i++)
        until = batch[i]->until > until ? batch[i]->until : until;
    return until;
}

static bool stopping(pt_committer_t *self)
{
    pthread_mutex_lock(&self->lock);
    bool stop = self->stop;
    pthread_mutex_unlock(&self->lock);
    return stop;
}

static void commit(pt_committer_t *self, waiter_t **batch, size_t count);

static int by_organisation(const void *a, const void *b)
{
    const waiter_t *const *left = a, *const *right = b;
    int order = pt_uuid_compare(&(*left)->submission.org_id, &(*right)->submission.org_id);
    return order ? order : by_job_id(a, b);
}

static bool same_organisation(const waiter_t *a, const waiter_t *b)
{
    return pt_uuid_equal(&a->submission.org_id, &b->submission.org_id);
}

/* Somebody holds the lock of one organisation's counter: the others do not wait for it. */
static void commit_each_organisation(pt_committer_t *self, waiter_t **batch, size_t count)
{
    qsort(batch, count, sizeof *batch, by_organisation);
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && same_organisation(batch[first], batch[next]);)
            next++;
        if (next - first < count)
            commit(self, batch + first, next - first);
    }
}

/* What did not go through: in parts, or not at all. True: try the same once more. */
static bool once_more(pt_committer_t *self, waiter_t **batch, size_t count, pt_pg_outcome_t outcome)
{
    if (outcome == PT_PG_REFUSED && count > 1) { /* one bad row must not fail the others */
        commit(self, batch, count / 2);
        commit(self, batch + count / 2, count - count / 2);
        return false;
    }
    pt_log(PT_WARNING, "jobs could not be committed", PT_N("jobs", count),
           PT_S("why", pt_pg_error(self->pg)));
    if (outcome == PT_PG_LOCKED)
        commit_each_organisation(self, batch, count);
    if (outcome == PT_PG_LOCKED || outcome == PT_PG_REFUSED || stopping(self))
        return false;
    usleep(AGAIN_MS * 1000);
    return pt_clock_ms() < patience(batch, count);
}

/* Makes the batch durable, or gives it up when nobody waits for it any more. A first commit whose
   answer was lost is met again by the same ids. */
static void commit(pt_committer_t *self, waiter_t **batch, size_t count)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome;
    while ((outcome = insert(self, batch, count, &rows)) != PT_PG_OK)
        if (!once_more(self, batch, count, outcome))
            return;
    for (size_t i = 0; i < count; i++)
        batch[i]->outcome = PT_SUBMIT_NOT_FOUND; /* unless the statement names it */
    follow_up(self, batch, rows);
    PQclear(rows);
    atomic_fetch_add(&self->batches, 1);
}

/* ---- the thread -------------------------------------------------------------------------- */

static size_t take_batch(pt_committer_t *self, waiter_t **batch)
{
    size_t count = 0;
    pthread_mutex_lock(&self->lock);
    while (!self->first && !self->stop)
        pthread_cond_wait(&self->wake, &self->lock);
    while (self->first && count < BATCH_MAX && !self->stop) {
        waiter_t *waiter = self->first;
        self->first = waiter->next;
        waiter->next = NULL;
        waiter->state = IN_FLIGHT;
        batch[count++] = waiter;
        self->queued--;
    }
    if (!self->first)
        self->last = &self->first;
    pthread_mutex_unlock(&self->lock);
    return count;
}

static void answer(pt_committer_t *self, waiter_t **batch, size_t count)
{
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < count; i++) {
        if (batch[i]->state == ABANDONED) {
            free_waiter(batch[i]);
        } else {
            batch[i]->state = DONE;
            pthread_cond_signal(&batch[i]->done);
        }
    }
    pthread_mutex_unlock(&self->lock);
}

static void *run(void *arg)
{
    pt_committer_t *self = arg;
    waiter_t *batch[BATCH_MAX];
    size_t count;
    while ((count = take_batch(self, batch)) > 0) {
        qsort(batch, count, sizeof *batch, by_job_id);
        reserve(self, batch, count);
        commit(self, batch, count);
        release_unused(self, batch, count);
        answer(self, batch, count);
    }
    pthread_mutex_lock(&self->lock); /* what is left was never tried */
    for (waiter_t *waiter = self->first; waiter; waiter = waiter->next) {
        waiter->state = DONE;
        pthread_cond_signal(&waiter->done);
    }
    self->first = NULL;
    self->last = &self->first;
    self->queued = 0;
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

pt_committer_t *pt_committer_new(const char *uri, pt_links_t *links, pt_waits_fn *waits,
                                 void *context)
{
    pt_committer_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->last = &self->first;
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->waits = waits;
    self->context = context;
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_committer_destroy(pt_committer_t **self_p)
{
    pt_committer_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

pt_committer_counts_t pt_committer_counts(pt_committer_t *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t queue = self->queued;
    pthread_mutex_unlock(&self->lock);
    return (pt_committer_counts_t){queue, atomic_load(&self->submitted),
                                   atomic_load(&self->batches)};
}
