#include "gateway/sweep.h"

#include "gateway/announce.h"
#include "gateway/rounds.h"
#include "gateway/store.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define HAND_OUT_MAX 256
#define STATEMENT_MS 5000
#define SEND_WITHIN_MS 2000
#define AGAIN_MS 500
#define LOOK_MS 30000
#define EDGES_MS 500   /* between two readings of edges that others hinted at */
#define HINTS_MAX 1000 /* what is hinted at beyond waits for the next look */

/* What is known of a type's backlog, and whose turn it is. */
typedef struct {
    char job_type[PT_TYPE_MAX];
    int64_t due; /* clock ms of the next that may be handed out; INT64_MAX: nothing waits */
    char last_org[PT_UUID_TEXT];
} backlog_t;

struct pt_sweep {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, active, fresh; /* fresh: leadership is new, nothing is known */
    bool woken;
    backlog_t backlogs[PT_TYPES_MAX];
    size_t backlog_count;
    pt_rounds_t *rounds;
    int64_t look_at, edges_at;
    pt_array_t hinted; /* ids of organisations, under lock */
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_recorder_t *recorder;
    _Atomic uint64_t handed_out, asked, lost, out;
};

/* ---- wake-ups ---------------------------------------------------------------------------- */

static void wake_locked(pt_sweep_t *self)
{
    self->woken = true;
    pthread_cond_signal(&self->wake);
}

static backlog_t *backlog_of(pt_sweep_t *self, const char *job_type)
{
    for (size_t i = 0; i < self->backlog_count; i++)
        if (strcmp(self->backlogs[i].job_type, job_type) == 0)
            return &self->backlogs[i];
    if (self->backlog_count == PT_TYPES_MAX)
        return NULL;
    backlog_t *backlog = &self->backlogs[self->backlog_count++];
    memset(backlog, 0, sizeof *backlog);
    pt_job_type_copy(backlog->job_type, job_type);
    backlog->due = INT64_MAX;
    return backlog;
}

static void waits_locked(pt_sweep_t *self, const char *job_type, int64_t due)
{
    backlog_t *backlog = backlog_of(self, job_type);
    if (backlog && due < backlog->due)
        backlog->due = due;
}

void pt_sweep_waits(pt_sweep_t *self, const char *job_type, int64_t due_in_ms)
{
    pthread_mutex_lock(&self->lock);
    if (job_type)
        waits_locked(self, job_type, pt_clock_ms() + due_in_ms);
    else
        self->look_at = 0;
    pt_rounds_wake(self->rounds, false); /* if it is not handed out, it may be out and unsent */
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_credit(pt_sweep_t *self)
{
    pthread_mutex_lock(&self->lock);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_out(pt_sweep_t *self)
{
    pthread_mutex_lock(&self->lock);
    pt_rounds_wake(self->rounds, false);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_event(pt_sweep_t *self, const pt_msg_t *event, bool is_new)
{
    pthread_mutex_lock(&self->lock);
    pt_rounds_wake(self->rounds, false);
    if (event->waiting && strcmp(event->type, "created") == 0) /* others come from our recorder */
        waits_locked(self, event->job_type, pt_clock_ms());
    if (is_new && self->hinted.count < HINTS_MAX)
        pt_array_uuid(&self->hinted, &event->org_id);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_set_active(pt_sweep_t *self, bool active)
{
    pthread_mutex_lock(&self->lock);
    self->active = active;
    self->fresh = active;
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

/* ---- what brokers say -------------------------------------------------------------------- */

static void report_lost(pt_sweep_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool counts,
                        const char *reason)
{
    pt_fact_t fact = {.said.said = PT_SAID_LOST, .from.link = -1};
    fact.said.job_id = *job_id;
    fact.said.attempt = attempt;
    fact.said.counts = counts;
    strcpy(fact.said.code, counts ? "worker_lost" : "handed_back");
    snprintf(fact.said.message, sizeof fact.said.message, "%s",
             *reason ? reason : "its worker was lost");
    atomic_fetch_add(&self->lost, 1);
    pt_recorder_take(self->recorder, &fact);
}

static void lost_in_round(void *context, const pt_ref_t *ref)
{
    report_lost(context, &ref->job_id, ref->attempt, true,
                "no broker knows of a worker that has it");
}

void pt_sweep_brokers(pt_sweep_t *self, int gone)
{
    pthread_mutex_lock(&self->lock);
    if (gone >= 0)
        pt_rounds_broker_gone(self->rounds, gone);
    pt_rounds_wake(self->rounds, false);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_held(pt_sweep_t *self, int broker, uint64_t number, const pt_refs_t *held)
{
    pthread_mutex_lock(&self->lock);
    pt_rounds_answer(self->rounds, pt_clock_ms(), broker, number, held, lost_in_round, self);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_sweep_gone(pt_sweep_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool certain,
                   bool counts, const char *reason)
{
    if (certain) {
        report_lost(self, job_id, attempt, counts, reason);
        return;
    }
    pthread_mutex_lock(&self->lock);
    pt_rounds_wake(self->rounds, true);
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
}

/* ---- handing out ------------------------------------------------------------------------- */

static int reserve(pt_sweep_t *self, const char *job_type, pt_ticket_t tickets[HAND_OUT_MAX])
{
    int count = 0;
    while (count < HAND_OUT_MAX) {
        tickets[count] = pt_links_reserve(self->links, job_type);
        if (tickets[count].link < 0)
            break;
        count++;
    }
    return count;
}

static void send_row(pt_sweep_t *self, const PGresult *rows, int row, const char *job_type,
                     const pt_ticket_t *ticket, int64_t expires)
{
    pt_job_parcel_t job = {.ticket = *ticket,
                           .job_type = job_type,
                           .attempt = (uint32_t)atoi(PQgetvalue(rows, row, 2)),
                           .name = PQgetvalue(rows, row, 4),
                           .format = PQgetvalue(rows, row, 5),
                           .chains = PQgetvalue(rows, row, 6)};
    pt_uuid_parse(&job.job_id, PQgetvalue(rows, row, 0), PT_UUID_TEXT - 1);
    pt_uuid_parse(&job.org_id, PQgetvalue(rows, row, 1), PT_UUID_TEXT - 1);
    pt_uuid_parse(&job.variant_id, PQgetvalue(rows, row, 3), PT_UUID_TEXT - 1);
    pt_send_job(self->links, &job, expires);
}

/* When the next one of the type is due, now that all that was due is out. */
static pt_pg_outcome_t read_next_due(pt_sweep_t *self, const char *job_type)
{
    PGresult *result = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_next_due, &job_type, 1, STATEMENT_MS, &result);
    if (outcome == PT_PG_OK && !PQgetisnull(result, 0, 0)) {
        int64_t left = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        pthread_mutex_lock(&self->lock);
        /* One that is overdue and was not handed out is locked by somebody: no hurry. */
        waits_locked(self, job_type, pt_clock_ms() + (left > 0 ? left : AGAIN_MS));
        pthread_mutex_unlock(&self->lock);
    }
    PQclear(result);
    return outcome;
}

static pt_pg_outcome_t hand_out_rows(pt_sweep_t *self, backlog_t *backlog,
                                     const pt_ticket_t *tickets, int count, int *sent)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", count);
    const char *params[] = {backlog->job_type, limit,
                            *backlog->last_org ? backlog->last_org : NULL};
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pg_run(self->pg, &pt_sql_hand_out, params, 3, STATEMENT_MS, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    int64_t expires = pt_clock_ms() + SEND_WITHIN_MS;
    for (*sent = 0; *sent < PQntuples(rows); ++*sent)
        send_row(self, rows, *sent, backlog->job_type, &tickets[*sent], expires);
    if (*sent > 0)
        snprintf(backlog->last_org, sizeof backlog->last_org, "%s", PQgetvalue(rows, *sent - 1, 1));
    PQclear(rows);
    atomic_fetch_add(&self->handed_out, (uint64_t)*sent);
    return PT_PG_OK;
}

/* Hands out one type, as far as credit goes. `backlog` is the caller's copy. */
static pt_pg_outcome_t hand_out(pt_sweep_t *self, backlog_t *backlog)
{
    pt_ticket_t tickets[HAND_OUT_MAX];
    int sent = 0, count = reserve(self, backlog->job_type, tickets);
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (count > 0)
        outcome = hand_out_rows(self, backlog, tickets, count, &sent);
    for (int i = sent; i < count; i++)
        pt_links_release(self->links, &tickets[i], backlog->job_type);
    if (outcome == PT_PG_OK && sent < count)
        return read_next_due(self, backlog->job_type);
    pthread_mutex_lock(&self->lock); /* there may be more: it stays due */
    waits_locked(self, backlog->job_type, 0);
    pthread_mutex_unlock(&self->lock);
    return outcome;
}

/* Takes the i-th backlog if it may be worked on now; false: it may not. `end`: there is none. */
static bool take_backlog(pt_sweep_t *self, size_t i, int64_t now, backlog_t *backlog, bool *end)
{
    pthread_mutex_lock(&self->lock);
    *end = i >= self->backlog_count;
    bool due = !*end && self->backlogs[i].due <= now &&
               pt_links_free(self->links, self->backlogs[i].job_type) > 0;
    if (due) {
        *backlog = self->backlogs[i];
        self->backlogs[i].due = INT64_MAX; /* whoever waits from here on says so again */
    }
    pthread_mutex_unlock(&self->lock);
    return due;
}

static pt_pg_outcome_t hand_out_all(pt_sweep_t *self, int64_t now)
{
    pt_pg_outcome_t outcome = PT_PG_OK;
    bool end = false;
    for (size_t i = 0; outcome == PT_PG_OK && !end; i++) {
        backlog_t backlog;
        if (!take_backlog(self, i, now, &backlog, &end))
            continue;
        outcome = hand_out(self, &backlog);
        pthread_mutex_lock(&self->lock);
        memcpy(self->backlogs[i].last_org, backlog.last_org, sizeof backlog.last_org);
        pt_rounds_wake(self->rounds, false);
        pthread_mutex_unlock(&self->lock);
    }
    return outcome;
}

/* Which types have a backlog at all, and where the events end: at the start, and now and then, in
   case a word of it was lost. */
static pt_pg_outcome_t look(pt_sweep_t *self)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_waiting_types, NULL, 0, STATEMENT_MS, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    pthread_mutex_lock(&self->lock);
    for (int row = 0; row < PQntuples(rows); row++)
        waits_locked(self, PQgetvalue(rows, row, 0), 0);
    pt_rounds_wake(self->rounds, false);
    self->look_at = pt_clock_ms() + LOOK_MS;
    pthread_mutex_unlock(&self->lock);
    PQclear(rows);
    return pt_refresh_edges(self->links, self->pg, NULL);
}

/* ---- asking for what is out --------------------------------------------------------------- */

static void ask(pt_sweep_t *self, const pt_ticket_t *tickets, int count, uint64_t number,
                const pt_msg_t *question)
{
    for (int i = 0; i < count; i++) {
        pt_msg_t msg = *question;
        msg.round = number;
        pt_msg_set(&msg, PT_F_ROUND);
        pt_links_send(self->links, &tickets[i], &msg, NULL, 0, 0);
    }
}

static uint32_t bits(const pt_ticket_t *tickets, int count)
{
    uint32_t brokers = 0;
    for (int i = 0; i < count; i++)
        brokers |= (uint32_t)1 << tickets[i].link;
    return brokers;
}

static void read_page(const PGresult *rows, pt_msg_t *question)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        pt_uuid_t id;
        pt_uuid_parse(&id, PQgetvalue(rows, row, 0), PT_UUID_TEXT - 1);
        pt_msg_add_ref(question, PT_F_JOBS, &id, (uint32_t)atoi(PQgetvalue(rows, row, 1)),
                       PQgetvalue(rows, row, 2));
    }
}

static pt_pg_outcome_t ask_page(pt_sweep_t *self, const pt_uuid_t *after)
{
    char from[PT_UUID_TEXT], limit[16];
    snprintf(limit, sizeof limit, "%d", PT_REFS_MAX);
    const char *params[] = {pt_uuid_format(after, from), limit};
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pg_run(self->pg, &pt_sql_out_page, params, 2, STATEMENT_MS, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    pt_msg_t question;
    pt_msg_init(&question, PT_HAVE);
    read_page(rows, &question);
    PQclear(rows);
    pt_ticket_t tickets[PT_LINKS_MAX];
    int brokers = pt_links_sessions(self->links, tickets);
    pthread_mutex_lock(&self->lock); /* held until sent, so that no answer comes before its page */
    uint64_t number =
        pt_rounds_page(self->rounds, pt_clock_ms(), question.jobs.items, question.jobs.count,
                       question.jobs.count == PT_REFS_MAX, bits(tickets, brokers));
    if (question.jobs.count > 0)
        ask(self, tickets, brokers, number, &question);
    pthread_mutex_unlock(&self->lock);
    atomic_fetch_add(&self->asked, 1);
    atomic_store(&self->out, question.jobs.count);
    pt_msg_clear(&question);
    return PT_PG_OK;
}

static pt_pg_outcome_t ask_if_due(pt_sweep_t *self, int64_t now)
{
    pt_uuid_t after;
    pthread_mutex_lock(&self->lock);
    pt_rounds_tick(self->rounds, now);
    bool wants = pt_rounds_wants_page(self->rounds, now, &after);
    pthread_mutex_unlock(&self->lock);
    return wants ? ask_page(self, &after) : PT_PG_OK;
}

/* ---- the thread -------------------------------------------------------------------------- */

/* A new leader repeats every organisation's edge, and knows of no backlog yet. */
static pt_pg_outcome_t begin(pt_sweep_t *self)
{
    pt_pg_outcome_t outcome = pt_refresh_edges(self->links, self->pg, NULL);
    if (outcome != PT_PG_OK)
        return outcome;
    pthread_mutex_lock(&self->lock);
    pt_rounds_reset(self->rounds);
    self->look_at = 0;
    self->fresh = false;
    pthread_mutex_unlock(&self->lock);
    return PT_PG_OK;
}

/* The edges of organisations of which other gateways published; what they say is only a hint. */
static pt_pg_outcome_t read_hinted_edges(pt_sweep_t *self, int64_t now)
{
    pthread_mutex_lock(&self->lock);
    bool due = self->hinted.count > 0 && now >= self->edges_at;
    pt_array_t orgs = {0};
    if (due) {
        orgs = self->hinted;
        memset(&self->hinted, 0, sizeof self->hinted);
        self->edges_at = now + EDGES_MS;
    }
    pthread_mutex_unlock(&self->lock);
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (due)
        outcome = pt_refresh_edges(self->links, self->pg, pt_array_end(&orgs));
    pt_array_clear(&orgs);
    return outcome;
}

static pt_pg_outcome_t work(pt_sweep_t *self, bool fresh)
{
    int64_t now = pt_clock_ms();
    pt_pg_outcome_t outcome = fresh ? begin(self) : PT_PG_OK;
    pthread_mutex_lock(&self->lock);
    bool look_now = now >= self->look_at;
    pthread_mutex_unlock(&self->lock);
    if (outcome == PT_PG_OK && look_now)
        outcome = look(self);
    if (outcome == PT_PG_OK)
        outcome = read_hinted_edges(self, now);
    if (outcome == PT_PG_OK)
        outcome = hand_out_all(self, now);
    if (outcome == PT_PG_OK)
        outcome = ask_if_due(self, now);
    if (outcome != PT_PG_OK)
        pt_log(PT_WARNING, "the sweep could not work", PT_S("why", pt_pg_error(self->pg)));
    return outcome;
}

/* When there is something to do even if nobody wakes us. Backlogs without credit wait for credit.
 */
static int64_t next_due(pt_sweep_t *self, int64_t now)
{
    int64_t due = self->look_at, rounds = pt_rounds_due(self->rounds, now);
    due = rounds < due ? rounds : due;
    if (self->hinted.count > 0 && self->edges_at < due)
        due = self->edges_at;
    for (size_t i = 0; i < self->backlog_count; i++)
        if (self->backlogs[i].due < due &&
            pt_links_free(self->links, self->backlogs[i].job_type) > 0)
            due = self->backlogs[i].due;
    return due;
}

/* Waits for a wake-up or the next due time; false: stop. */
static bool wait_for_work(pt_sweep_t *self, bool pause)
{
    pthread_mutex_lock(&self->lock);
    int64_t now = pt_clock_ms();
    int64_t due = !self->active ? now + LOOK_MS : pause ? now + AGAIN_MS : next_due(self, now);
    struct timespec until = pt_until(due);
    if (pause)
        self->woken = false;
    while (!self->woken && !self->stop)
        if (pthread_cond_timedwait(&self->wake, &self->lock, &until) != 0)
            break;
    self->woken = false;
    bool on = !self->stop;
    pthread_mutex_unlock(&self->lock);
    return on;
}

static void *run(void *arg)
{
    pt_sweep_t *self = arg;
    bool pause = false;
    while (wait_for_work(self, pause)) {
        pthread_mutex_lock(&self->lock);
        bool active = self->active, fresh = self->fresh;
        pthread_mutex_unlock(&self->lock);
        pause = active && work(self, fresh) != PT_PG_OK;
    }
    return NULL;
}

pt_sweep_t *pt_sweep_new(const char *uri, pt_links_t *links, pt_recorder_t *recorder)
{
    pt_sweep_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->rounds = pt_rounds_new();
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->recorder = recorder;
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_sweep_destroy(pt_sweep_t **self_p)
{
    pt_sweep_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    wake_locked(self);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pt_rounds_destroy(&self->rounds);
    pt_array_clear(&self->hinted);
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

pt_sweep_counts_t pt_sweep_counts(pt_sweep_t *self)
{
    return (pt_sweep_counts_t){atomic_load(&self->handed_out), atomic_load(&self->asked),
                               atomic_load(&self->lost), atomic_load(&self->out)};
}
