#include "gateway/control.h"

#include "gateway/database/migrate.h"
#include "gateway/database/pg.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#define PING_MS 500
#define ANSWER_MS 1500
#define CONNECT_MS 3000

struct pt_control {
    pthread_t thread;
    pt_pg_t *pg;
    pt_control_leads_fn *leads;
    pt_control_settings_fn *settings;
    void *context;
    bool was_away;
    char why[512]; /* it was, the last time */
    int wake;      /* readable: stop */
    atomic_bool stop, database, leader, recorder;
    _Atomic int64_t pinged;
    _Atomic uint64_t token_generation;
};

static const pt_sql_t sql_listen = {"listen", "listen paratope_tokens"};
static const pt_sql_t sql_listen_settings = {"listen_settings", "listen paratope_settings"};
/* Should this host be cut off or stopped, the server ends the session, and with it the lock. */
static const pt_sql_t sql_timeout = {"timeout", "set idle_session_timeout = '3s'"};
static const pt_sql_t sql_try_lock = {"try_lock",
                                      "select pg_try_advisory_lock(hashtext('paratope.recorder'))"};
static const pt_sql_t sql_ping = {"ping", "select true"};

static void set_leader(pt_control_t *self, bool leader)
{
    if (atomic_load(&self->leader) == leader)
        return;
    atomic_store(&self->leader, leader);
    self->leads(self->context, leader);
    pt_log(PT_INFO, leader ? "this gateway records now" : "this gateway records no longer");
}

static void set_away(pt_control_t *self)
{
    const char *error = pt_pg_error(self->pg), *why = *error ? error : "the connection ended";
    if (!self->was_away || strcmp(self->why, why) != 0)
        pt_log(PT_WARNING, "the database is away", PT_S("why", why));
    snprintf(self->why, sizeof self->why, "%s", why);
    self->was_away = true;
    atomic_store(&self->database, false);
    atomic_store(&self->recorder, false);
    set_leader(self, false);
    pt_pg_close(self->pg);
}

/* A new connection: whatever was missed meanwhile makes cached tokens worthless. One that has ended
   must not be opened anew by a ping, which would neither listen nor notice that the lock is gone.
 */
static bool open_connection(pt_control_t *self)
{
    const PGconn *conn = pt_pg_connection(self->pg);
    if (conn)
        return PQstatus(conn) == CONNECTION_OK;
    if (pt_schema_check(self->pg) != PT_SCHEMA_OK)
        return false;
    pt_pg_step_t steps[] = {
        {&sql_listen, NULL, 0}, {&sql_listen_settings, NULL, 0}, {&sql_timeout, NULL, 0}};
    if (pt_pg_flight(self->pg, steps, 3, CONNECT_MS, NULL) != PT_PG_OK)
        return false;
    atomic_fetch_add(&self->token_generation, 1);
    self->settings(self->context);
    if (self->was_away)
        pt_log(PT_INFO, "the database is back");
    self->was_away = false;
    return true;
}

static void take_notifications(pt_control_t *self)
{
    PGconn *conn = pt_pg_connection(self->pg);
    PGnotify *note;
    if (!conn)
        return;
    PQconsumeInput(conn);
    while ((note = PQnotifies(conn)) != NULL) {
        if (strcmp(note->relname, "paratope_settings") == 0)
            self->settings(self->context);
        else
            atomic_fetch_add(&self->token_generation, 1);
        PQfreemem(note);
    }
}

static bool ping(pt_control_t *self)
{
    bool leads = atomic_load(&self->leader);
    PGresult *answer = NULL;
    if (pt_pg_run(self->pg, leads ? &sql_ping : &sql_try_lock, NULL, 0, ANSWER_MS, &answer) !=
        PT_PG_OK)
        return false;
    bool locked = *PQgetvalue(answer, 0, 0) == 't';
    PQclear(answer);
    atomic_store(&self->pinged, pt_clock_ms());
    atomic_store(&self->database, true);
    atomic_store(&self->recorder, true); /* ours, or whose lock kept us from it */
    set_leader(self, locked);
    return true;
}

/* Until the next ping, or until a notification comes. */
static void wait_a_while(pt_control_t *self, int64_t until)
{
    PGconn *conn = pt_pg_connection(self->pg);
    int64_t left;
    while ((left = until - pt_clock_ms()) > 0 && !atomic_load(&self->stop)) {
        struct pollfd items[] = {{.fd = self->wake, .events = POLLIN},
                                 {.fd = conn ? PQsocket(conn) : -1, .events = POLLIN}};
        if (poll(items, 2, (int)left) <= 0 || items[0].revents || !PQconsumeInput(conn))
            return;
        take_notifications(self);
    }
}

static void *run(void *arg)
{
    pt_control_t *self = arg;
    while (!atomic_load(&self->stop)) {
        int64_t next = pt_clock_ms() + PING_MS;
        if (!open_connection(self) || !ping(self))
            set_away(self);
        take_notifications(self);
        wait_a_while(self, next);
    }
    set_leader(self, false);
    pt_pg_close(self->pg);
    return NULL;
}

pt_control_t *pt_control_new(const char *uri, pt_control_leads_fn *leads,
                             pt_control_settings_fn *settings, void *context)
{
    pt_control_t *self = zmalloc(sizeof *self);
    self->pg = pt_pg_new(uri);
    self->leads = leads;
    self->settings = settings;
    self->context = context;
    self->wake = eventfd(0, EFD_CLOEXEC);
    assert(self->wake >= 0);
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_control_destroy(pt_control_t **self_p)
{
    pt_control_t *self = *self_p;
    if (!self)
        return;
    atomic_store(&self->stop, true);
    eventfd_write(self->wake, 1);
    pthread_join(self->thread, NULL);
    close(self->wake);
    pt_pg_destroy(&self->pg);
    free(self);
    *self_p = NULL;
}

pt_control_state_t pt_control_state(pt_control_t *self)
{
    return (pt_control_state_t){atomic_load(&self->database), atomic_load(&self->leader),
                                atomic_load(&self->recorder), atomic_load(&self->pinged),
                                atomic_load(&self->token_generation)};
}
