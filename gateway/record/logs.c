#include "gateway/record/logs.h"

#include "gateway/database/array.h"
#include "gateway/database/pg.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define QUEUE_MAX 1024 /* pieces, at most 8 KiB each */
#define BATCH_MAX 128
#define STATEMENT_MS 3000
#define PAUSE_MS 500 /* after a statement that failed */
#define OFFSET_MAX (INT64_C(1) << 50)
#define CLEAN_FIRST_MS 10000   /* after this gateway has begun to lead */
#define CLEAN_EVERY_MS 3600000 /* when nothing was left to remove */
#define CLEAN_AGAIN_MS 200     /* while something is */

typedef struct {
    pt_uuid_t job_id, org_id;
    uint32_t attempt;
    int64_t offset, at;
    char *text; /* owned, ended by NUL */
} piece_t;

struct pt_logs {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    piece_t queue[QUEUE_MAX]; /* a ring */
    size_t head, queued;
    bool stop, active;
    int64_t clean_at; /* clock ms; INT64_MAX: never */
    int keep_days;
    pthread_t thread;
    pt_pg_t *pg;
    _Atomic uint64_t stored, dropped;
};

/* Of each piece the longest version; of jobs that there are, of that organisation, up to the
   current attempt; at most 16 pieces an attempt, where an honest worker has 10. Nobody's lock is
   waited for: jobs are only read. */
static const pt_sql_t sql_store = {
    "store_logs",
    "with said as materialized ("
    "  select distinct on (job_id, attempt, begins) s.*"
    "  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])"
    "    as s (job_id, org_id, attempt, begins, at, text)"
    "  order by job_id, attempt, begins, octet_length(text) desc"
    "), known as materialized ("
    "  select s.*, exists (select 1 from job_logs l where l.job_id = s.job_id"
    "      and l.attempt = s.attempt and l.\"offset\" = s.begins) as is_old,"
    "    (select count(*) from job_logs l where l.job_id = s.job_id and l.attempt = s.attempt) as n"
    "  from said s join jobs j on j.id = s.job_id and j.org_id = s.org_id"
    "  where s.attempt between 1 and j.attempt"
    "), counted as ("
    "  select *, n + count(*) filter (where not is_old)"
    "    over (partition by job_id, attempt order by begins) as number from known"
    ") insert into job_logs (job_id, attempt, \"offset\", at, text) "
    "select job_id, attempt, begins, to_timestamp(least(at / 1e6, extract(epoch from now()))), text"
    "  from counted where is_old or number <= 16 order by job_id, attempt, begins "
    "on conflict (job_id, attempt, \"offset\") do update set text = excluded.text, at = excluded.at"
    "  where octet_length(job_logs.text) < octet_length(excluded.text)"};

/* Jobs' ids begin with the time at which they were made, so that the primary key finds the old
   ones; a job may have waited for long, so that its log is younger. */
static const pt_sql_t sql_clean = {
    "clean_logs",
    "with old as materialized (select l.job_id, l.attempt, l.\"offset\" from job_logs l"
    "  where l.job_id < (lpad(to_hex((extract(epoch from now() - $1::interval) * 1000)::bigint),"
    "    12, '0') || repeat('0', 20))::uuid and l.at < now() - $1::interval"
    "  order by l.job_id, l.attempt, l.\"offset\" limit 1000)"
    "delete from job_logs l using old where l.job_id = old.job_id"
    " and l.attempt = old.attempt and l.\"offset\" = old.\"offset\""};

/* ---- the queue --------------------------------------------------------------------------- */

static void drop_queue(pt_logs_t *self)
{
    for (; self->queued > 0; self->queued--) {
        free(self->queue[self->head].text);
        self->head = (self->head + 1) % QUEUE_MAX;
    }
}

/* The text of a msgpack str that was checked; owned by the caller. */
static char *copy_text(const void *payload, size_t size)
{
    msgpack_unpacked object;
    size_t at = 0;
    char *text = NULL;
    msgpack_unpacked_init(&object);
    if (msgpack_unpack_next(&object, payload, size, &at) == MSGPACK_UNPACK_SUCCESS &&
        object.data.type == MSGPACK_OBJECT_STR)
        text = strndup(object.data.via.str.ptr, object.data.via.str.size);
    msgpack_unpacked_destroy(&object);
    return text;
}

static bool enqueue(pt_logs_t *self, const piece_t *piece)
{
    pthread_mutex_lock(&self->lock);
    bool fits = self->active && self->queued < QUEUE_MAX;
    if (fits) {
        self->queue[(self->head + self->queued++) % QUEUE_MAX] = *piece;
        pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->lock);
    return fits;
}

bool pt_logs_take(pt_logs_t *self, const pt_msg_t *msg, const void *payload, size_t size)
{
    if (pt_msg_check_payload(msg, payload, size) || msg->attempt > INT32_MAX ||
        msg->offset > OFFSET_MAX)
        return false;
    piece_t piece = {.job_id = msg->job_id,
                     .org_id = msg->org_id,
                     .attempt = msg->attempt,
                     .offset = (int64_t)msg->offset,
                     .at = msg->at,
                     .text = copy_text(payload, size)};
    if (piece.text && enqueue(self, &piece))
        return true;
    free(piece.text);
    atomic_fetch_add(&self->dropped, 1);
    return true;
}

void pt_logs_set_active(pt_logs_t *self, bool active)
{
    pthread_mutex_lock(&self->lock);
    self->active = active;
    self->clean_at = active && self->keep_days ? pt_clock_ms() + CLEAN_FIRST_MS : INT64_MAX;
    pthread_cond_signal(&self->wake);
    if (!active)
        drop_queue(self);
    pthread_mutex_unlock(&self->lock);
}

static void await_work_locked(pt_logs_t *self)
{
    while (self->queued == 0 && !self->stop && pt_clock_ms() < self->clean_at) {
        struct timespec until = pt_until(self->clean_at);
        if (self->clean_at == INT64_MAX)
            pthread_cond_wait(&self->wake, &self->lock);
        else
            pthread_cond_timedwait(&self->wake, &self->lock, &until);
    }
}

/* `*clean`: old logs are due to be removed. False: it is to stop. */
static bool take_batch(pt_logs_t *self, piece_t *pieces, size_t *taken, bool *clean)
{
    size_t count = 0;
    pthread_mutex_lock(&self->lock);
    await_work_locked(self);
    for (; self->queued > 0 && count < BATCH_MAX; self->queued--) {
        pieces[count++] = self->queue[self->head];
        self->head = (self->head + 1) % QUEUE_MAX;
    }
    *taken = count;
    *clean = pt_clock_ms() >= self->clean_at;
    bool on = count > 0 || !self->stop;
    pthread_mutex_unlock(&self->lock);
    return on;
}

/* ---- what is old -------------------------------------------------------------------------- */

static void plan_clean(pt_logs_t *self, int64_t in)
{
    pthread_mutex_lock(&self->lock);
    if (self->active)
        self->clean_at = pt_clock_ms() + in;
    pthread_mutex_unlock(&self->lock);
}

static void clean(pt_logs_t *self)
{
    char days[32];
    const char *params[] = {days};
    PGresult *result = NULL;
    snprintf(days, sizeof days, "%d days", self->keep_days);
    if (pt_pg_run(self->pg, &sql_clean, params, 1, STATEMENT_MS, &result) != PT_PG_OK)
        pt_log(PT_WARNING, "old logs of jobs could not be removed",
               PT_S("why", pt_pg_error(self->pg)));
    bool more = result && atoi(PQcmdTuples(result)) > 0;
    PQclear(result);
    plan_clean(self, more ? CLEAN_AGAIN_MS : CLEAN_EVERY_MS);
}

/* ---- the statement ----------------------------------------------------------------------- */

enum { JOBS, ORGS, ATTEMPTS, OFFSETS, ATS, TEXTS, ARRAYS };

static void fill(pt_array_t arrays[ARRAYS], const piece_t *piece)
{
    pt_array_uuid(&arrays[JOBS], &piece->job_id);
    pt_array_uuid(&arrays[ORGS], &piece->org_id);
    pt_array_int(&arrays[ATTEMPTS], piece->attempt);
    pt_array_int(&arrays[OFFSETS], piece->offset);
    pt_array_int(&arrays[ATS], piece->at);
    pt_array_text(&arrays[TEXTS], piece->text);
}

static void store(pt_logs_t *self, const piece_t *pieces, size_t count)
{
    pt_array_t arrays[ARRAYS] = {0};
    const char *params[ARRAYS];
    for (size_t i = 0; i < count; i++)
        fill(arrays, &pieces[i]);
    for (int i = 0; i < ARRAYS; i++)
        params[i] = pt_array_end(&arrays[i]);
    bool done = pt_pg_run(self->pg, &sql_store, params, ARRAYS, STATEMENT_MS, NULL) == PT_PG_OK;
    atomic_fetch_add(done ? &self->stored : &self->dropped, count);
    for (int i = 0; i < ARRAYS; i++)
        pt_array_clear(&arrays[i]);
    if (done)
        return;
    pt_log(PT_WARNING, "logs of jobs could not be stored", PT_N("pieces", count),
           PT_S("why", pt_pg_error(self->pg)));
    usleep(PAUSE_MS * 1000);
}

static void *run(void *arg)
{
    pt_logs_t *self = arg;
    piece_t pieces[BATCH_MAX];
    size_t count;
    bool is_due;
    while (take_batch(self, pieces, &count, &is_due)) {
        if (count > 0)
            store(self, pieces, count);
        for (size_t i = 0; i < count; i++)
            free(pieces[i].text);
        if (is_due)
            clean(self);
    }
    return NULL;
}

/* ---- beginning and end ------------------------------------------------------------------- */

pt_logs_t *pt_logs_new(const char *uri, int keep_days)
{
    pt_logs_t *self = zmalloc(sizeof *self);
    self->keep_days = keep_days;
    self->clean_at = INT64_MAX;
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->pg = pt_pg_new(uri);
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_logs_destroy(pt_logs_t **self_p)
{
    pt_logs_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    drop_queue(self);
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

pt_logs_counts_t pt_logs_counts(pt_logs_t *self)
{
    return (pt_logs_counts_t){atomic_load(&self->stored), atomic_load(&self->dropped)};
}
