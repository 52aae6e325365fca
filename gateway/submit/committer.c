#include "gateway/submit/committer.h"

#include "gateway/database/array.h"
#include "gateway/links/announce.h"
#include "gateway/links/links.h"
#include "gateway/store/move.h"
#include "gateway/submit/submissions.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define BATCH_MAX 1024
#define STATEMENT_MS 3000
#define AGAIN_MS 100
#define SAY_AGAIN_MS 10000 /* the same reason, while it lasts: the disk may be full */

/* What goes into one transaction. `rows`: it did, and what follows from it is still to be done. */
typedef struct {
    pt_waiter_t *waiters[BATCH_MAX];
    size_t count;
    bool launched;
    PGresult *rows;
    int64_t expires;
} batch_t;

struct pt_committer {
    pt_submissions_t line;
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_waits_fn *waits;
    void *context;
    char said[256]; /* the last reason that was logged */
    int64_t say_again;
    _Atomic uint64_t submitted, batches;
};

pt_submit_t pt_committer_submit(pt_committer_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at)
{
    return pt_submissions_join(&self->line, submission, wait_ms, job_id, created_at);
}

/* ---- one batch --------------------------------------------------------------------------- */

static int by_job_id(const void *a, const void *b)
{
    const pt_waiter_t *const *left = a, *const *right = b;
    return pt_uuid_compare(&(*left)->job_id, &(*right)->job_id);
}

/* All zero stands for none. */
static void put_uuid_or_null(pt_array_t *to, const pt_uuid_t *id)
{
    static const pt_uuid_t none;
    if (pt_uuid_equal(id, &none))
        pt_array_text(to, NULL);
    else
        pt_array_uuid(to, id);
}

static void put_row(pt_array_t *to, const pt_waiter_t *waiter)
{
    const pt_submission_t *submission = &waiter->submission;
    pt_array_uuid(&to[0], &waiter->job_id);
    pt_array_uuid(&to[1], &submission->org_id);
    pt_array_uuid(&to[2], &submission->variant_id);
    pt_array_text(&to[3], submission->job_type);
    pt_array_text(&to[4], waiter->ticket.link >= 0 ? "t" : "f");
    pt_array_int(&to[5], submission->priority);
    pt_array_text(&to[6], *submission->request_id ? submission->request_id : NULL);
    put_uuid_or_null(&to[7], &submission->resubmit_of);
    pt_array_text(&to[8], submission->options);
    put_uuid_or_null(&to[9], &submission->batch_id);
}

typedef struct {
    pt_array_t arrays[PT_SUBMIT_PARAMS];
    const char *params[PT_SUBMIT_PARAMS];
} params_t;

static void params_init(params_t *self, pt_waiter_t **batch, size_t count)
{
    memset(self, 0, sizeof *self);
    for (size_t i = 0; i < count; i++)
        put_row(self->arrays, batch[i]);
    for (int i = 0; i < PT_SUBMIT_PARAMS; i++)
        self->params[i] = pt_array_end(&self->arrays[i]);
}

static void params_clear(params_t *self)
{
    for (int i = 0; i < PT_SUBMIT_PARAMS; i++)
        pt_array_clear(&self->arrays[i]);
}

static pt_pg_outcome_t insert(pt_committer_t *self, pt_waiter_t **batch, size_t count,
                              PGresult **rows)
{
    params_t given;
    params_init(&given, batch, count);
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_submit, given.params, PT_SUBMIT_PARAMS, STATEMENT_MS, rows);
    params_clear(&given);
    return outcome;
}

static void send_job(pt_committer_t *self, pt_waiter_t *waiter, const PGresult *rows,
                     int64_t expires)
{
    pt_job_parcel_t job = {.ticket = waiter->ticket,
                           .job_id = waiter->job_id,
                           .org_id = waiter->submission.org_id,
                           .attempt = 1,
                           .priority = waiter->submission.priority,
                           .weight = waiter->submission.weight,
                           .job_type = waiter->submission.job_type,
                           .inputs = {.variant_id = waiter->submission.variant_id,
                                      .name = PQgetvalue(rows, waiter->row, 4),
                                      .format = PQgetvalue(rows, waiter->row, 5),
                                      .chains = PQgetvalue(rows, waiter->row, 6),
                                      .options = pt_pg_text(rows, waiter->row, 7)}};
    if (pt_send_job(self->links, &job, expires)) /* the sweep's, once nobody has the job */
        pt_links_release(self->links, &waiter->ticket, waiter->submission.job_type);
}

static void publish_created(pt_committer_t *self, const pt_waiter_t *waiter)
{
    pt_event_t event = {
        .type = "created", .status = "pending", .attempt = 1, .at = waiter->created_at};
    snprintf(event.request, sizeof event.request, "%.*s", PT_NAME_MAX - 1,
             waiter->submission.request_id);
    event.variant_id = waiter->submission.variant_id;
    event.has_origin = true;
    pt_announcement_t about = {.job_id = waiter->job_id,
                               .org_id = waiter->submission.org_id,
                               .job_type = waiter->submission.job_type,
                               .seq = waiter->seq,
                               .timeline = pt_pg_timeline(self->pg),
                               .waiting = !waiter->out};
    pt_announce(self->links, &about, &event);
}

static void reserve(pt_committer_t *self, pt_waiter_t **batch, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batch[i]->ticket = pt_links_reserve(self->links, batch[i]->submission.job_type);
}

static bool is_to_be_sent(const pt_waiter_t *waiter)
{
    /* One that an earlier, unanswered commit made may have been handed out since by the sweep. */
    return waiter->outcome == PT_SUBMIT_CREATED && waiter->out && waiter->made &&
           waiter->ticket.link >= 0;
}

/* Before anybody is told that something waits, so that the credit is there for it. */
static void release_unused(pt_committer_t *self, pt_waiter_t **batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_to_be_sent(batch[i]))
            continue;
        pt_links_release(self->links, &batch[i]->ticket, batch[i]->submission.job_type);
        batch[i]->ticket.link = -1;
    }
}

/* Notes what the statement did; who is not named has no such variant. */
static void read_rows(pt_committer_t *self, pt_waiter_t **batch, size_t count, const PGresult *rows)
{
    for (size_t i = 0; i < count; i++)
        batch[i]->outcome = PT_SUBMIT_NOT_FOUND;
    for (int row = 0; row < PQntuples(rows); row++) {
        pt_waiter_t *waiter = batch[atoi(PQgetvalue(rows, row, 0)) - 1];
        waiter->outcome = PT_SUBMIT_CREATED;
        waiter->row = row;
        waiter->out = *PQgetvalue(rows, row, 1) == 't';
        waiter->created_at = strtoll(PQgetvalue(rows, row, 2), NULL, 10);
        waiter->made = !PQgetisnull(rows, row, 3);
        waiter->seq = strtoull(PQgetvalue(rows, row, 3), NULL, 10);
    }
    release_unused(self, batch, count);
    atomic_fetch_add(&self->submitted, (uint64_t)PQntuples(rows));
    atomic_fetch_add(&self->batches, 1);
}

/* Sends what the statement handed out, publishes what it created. */
static void follow_up(pt_committer_t *self, pt_waiter_t **batch, size_t count, const PGresult *rows,
                      int64_t expires)
{
    for (size_t i = 0; i < count; i++) {
        pt_waiter_t *waiter = batch[i];
        if (waiter->outcome != PT_SUBMIT_CREATED)
            continue;
        if (is_to_be_sent(waiter))
            send_job(self, waiter, rows, expires);
        if (!waiter->out || !waiter->made)
            self->waits(self->context, waiter->submission.job_type, 0);
        if (waiter->made)
            publish_created(self, waiter);
    }
}

static int64_t patience(pt_waiter_t **batch, size_t count)
{
    int64_t until = 0;
    for (size_t i = 0; i < count; i++)
        until = batch[i]->until > until ? batch[i]->until : until;
    return until;
}

static void commit(pt_committer_t *self, pt_waiter_t **batch, size_t count);

static int by_organisation(const void *a, const void *b)
{
    const pt_waiter_t *const *left = a, *const *right = b;
    int order = pt_uuid_compare(&(*left)->submission.org_id, &(*right)->submission.org_id);
    return order ? order : by_job_id(a, b);
}

static bool same_organisation(const pt_waiter_t *a, const pt_waiter_t *b)
{
    return pt_uuid_equal(&a->submission.org_id, &b->submission.org_id);
}

/* Somebody holds the lock of one organisation's counter: the others do not wait for it. */
static void commit_each_organisation(pt_committer_t *self, pt_waiter_t **batch, size_t count)
{
    qsort(batch, count, sizeof *batch, by_organisation);
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && same_organisation(batch[first], batch[next]);)
            next++;
        if (next - first < count)
            commit(self, batch + first, next - first);
    }
}

static void say_why(pt_committer_t *self, size_t count)
{
    const char *why = pt_pg_error(self->pg);
    int64_t now = pt_clock_ms();
    if (now < self->say_again && strncmp(why, self->said, sizeof self->said - 1) == 0)
        return;
    snprintf(self->said, sizeof self->said, "%s", why);
    self->say_again = now + SAY_AGAIN_MS;
    pt_log(PT_WARNING, "jobs could not be committed", PT_N("jobs", count), PT_S("why", why));
}

/* What did not go through: in parts, or not at all. True: try the same once more. */
static bool once_more(pt_committer_t *self, pt_waiter_t **batch, size_t count,
                      pt_pg_outcome_t outcome)
{
    if (outcome == PT_PG_REFUSED && count > 1) { /* one bad row must not fail the others */
        commit(self, batch, count / 2);
        commit(self, batch + count / 2, count - count / 2);
        return false;
    }
    say_why(self, count);
    if (outcome == PT_PG_LOCKED)
        commit_each_organisation(self, batch, count);
    if (outcome == PT_PG_LOCKED || outcome == PT_PG_REFUSED || pt_submissions_stopping(&self->line))
        return false;
    usleep(AGAIN_MS * 1000);
    return pt_clock_ms() < patience(batch, count);
}

/* Makes the batch durable, or gives it up when nobody waits for it any more. A first commit whose
   answer was lost is met again by the same ids. */
static void commit(pt_committer_t *self, pt_waiter_t **batch, size_t count)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome;
    while ((outcome = insert(self, batch, count, &rows)) != PT_PG_OK)
        if (!once_more(self, batch, count, outcome))
            return;
    int64_t expires = pt_clock_ms() + PT_SEND_WITHIN_MS;
    read_rows(self, batch, count, rows);
    follow_up(self, batch, count, rows, expires);
    PQclear(rows);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* Sends it, if that can be done without waiting. */
static void launch(pt_committer_t *self, batch_t *batch)
{
    params_t given;
    qsort(batch->waiters, batch->count, sizeof *batch->waiters, by_job_id);
    reserve(self, batch->waiters, batch->count);
    params_init(&given, batch->waiters, batch->count);
    const pt_pg_step_t step = {&pt_sql_submit, given.params, PT_SUBMIT_PARAMS};
    batch->launched = pt_pg_launch(self->pg, &step, 1, STATEMENT_MS);
    params_clear(&given);
}

/* Until it is committed or given up. */
static void land(pt_committer_t *self, batch_t *batch)
{
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (batch->launched)
        outcome = pt_pg_land(self->pg, &batch->rows);
    if (batch->launched && outcome == PT_PG_OK) {
        batch->expires = pt_clock_ms() + PT_SEND_WITHIN_MS;
        read_rows(self, batch->waiters, batch->count, batch->rows);
    } else if (outcome == PT_PG_OK || once_more(self, batch->waiters, batch->count, outcome)) {
        commit(self, batch->waiters, batch->count);
    }
}

/* What follows from its commit, and the answers. */
static void finish(pt_committer_t *self, batch_t *batch)
{
    if (batch->rows)
        follow_up(self, batch->waiters, batch->count, batch->rows, batch->expires);
    else
        release_unused(self, batch->waiters, batch->count);
    PQclear(batch->rows);
    batch->rows = NULL;
    pt_submissions_answer(&self->line, batch->waiters, batch->count);
    batch->count = 0;
}

/* A batch that is committed is finished while the next one is under way, if there is one: so the
   database does not wait for us. */
static void *run(void *arg)
{
    pt_committer_t *self = arg;
    batch_t batches[2] = {{.count = 0}}, *now = &batches[0], *before = &batches[1];
    for (;;) {
        now->count = pt_submissions_take(&self->line, now->waiters, BATCH_MAX, before->count == 0);
        if (now->count == 0 && before->count == 0)
            break;
        if (now->count > 0)
            launch(self, now);
        finish(self, before);
        if (now->count > 0)
            land(self, now);
        batch_t *landed = now;
        now = before;
        before = landed;
    }
    pt_submissions_turn_away(&self->line); /* what is left was never tried */
    return NULL;
}

pt_committer_t *pt_committer_new(const char *uri, pt_links_t *links, pt_waits_fn *waits,
                                 void *context)
{
    pt_committer_t *self = zmalloc(sizeof *self);
    pt_submissions_init(&self->line);
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
    pt_submissions_stop(&self->line);
    pthread_join(self->thread, NULL);
    pt_pg_destroy(&self->pg);
    pt_submissions_clear(&self->line);
    free(self);
    *self_p = NULL;
}

pt_committer_counts_t pt_committer_counts(pt_committer_t *self)
{
    return (pt_committer_counts_t){pt_submissions_count(&self->line), atomic_load(&self->submitted),
                                   atomic_load(&self->batches)};
}
