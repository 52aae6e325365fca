#include "tests/simulation/database_inside.h"

statement_t *statement_new(db_verb_t verb, size_t room)
{
    statement_t *self = must_alloc(sizeof *self + room * sizeof *self->items);
    self->verb = verb;
    self->room = room;
    return self;
}

void database_new(world_t *world)
{
    world->database = must_alloc(sizeof *world->database);
    for (int org = 0; org < ORGS_MAX; org++)
        world->database->events[org] = must_alloc(EVENTS_MAX * sizeof(db_event_t));
    world->database->leader = -1;
    world->database->timeline = 1;
}

void database_destroy(world_t *world)
{
    for (int org = 0; org < ORGS_MAX; org++)
        free(world->database->events[org]);
    for (int job = 0; job < JOBS_MAX; job++)
        free(world->database->records[job].pieces);
    free(world->database);
}

static void execute(world_t *world, statement_t *ask)
{
    static void (*const verbs[])(world_t *, statement_t *) = {[DB_SUBMIT] = db_submit,
                                                              [DB_LOCK_ROWS] = db_lock_rows,
                                                              [DB_WRITE] = db_write_rows,
                                                              [DB_HAND_OUT] = db_hand_out,
                                                              [DB_NEXT_DUE] = db_next_due,
                                                              [DB_AWAITS_ENDING] = db_awaits_ending,
                                                              [DB_NOTE_UNSERVED] = db_note_unserved,
                                                              [DB_EXPIRED] = db_expired,
                                                              [DB_NEXT_EXPIRY] = db_next_expiry,
                                                              [DB_WAITING_TYPES] = db_waiting_types,
                                                              [DB_OUT_PAGE] = db_out_page,
                                                              [DB_EDGES] = db_edges,
                                                              [DB_LEAD] = db_lead,
                                                              [DB_CANCEL] = db_cancel,
                                                              [DB_DECLARE] = db_declare,
                                                              [DB_STORE_LOGS] = db_store_logs,
                                                              [DB_READ_EVENTS] = db_read_events};
    verbs[ask->verb](world, ask);
    ask->timeline = world->database->timeline;
}

/* ---- statements on their way ------------------------------------------------------------- */

static bool is_commit(const statement_t *ask)
{
    return ask->by->kind == GATEWAY && (ask->verb == DB_SUBMIT || ask->verb == DB_WRITE ||
                                        ask->verb == DB_CANCEL || ask->verb == DB_HAND_OUT);
}

static void note_progress(world_t *world, const statement_t *ask, progress_t progress)
{
    if (is_commit(ask))
        world->database->progress[ask->by->index][ask->thread] = progress;
}

static void on_answer(world_t *world, node_t *node, event_t *event)
{
    statement_t *ask = event->data;
    note_progress(world, ask, NOTHING);
    ask->answer(world, node, event);
}

static uint64_t session_of(const world_t *world, const statement_t *ask)
{
    return ask->by->kind == GATEWAY ? world->database->sessions[ask->by->index][ask->thread] : 0;
}

/* Nobody waits for it any more: the server may not know that yet, and then does it. */
static bool is_abandoned(world_t *world, const statement_t *ask)
{
    return ask->session != session_of(world, ask) || ask->by->generation != ask->generation;
}

static bool waits_for_lock(const world_t *world, const statement_t *ask)
{
    return ask->verb == DB_CANCEL && world->database->records[ask->items[0].job].locked_by;
}

static void on_execute(world_t *world, node_t *node, event_t *event)
{
    statement_t *ask = event->data;
    bool abandoned = is_abandoned(world, ask);
    if (abandoned &&
        (ask->verb == DB_LOCK_ROWS || ask->verb == DB_LEAD || random_chance(&world->random, 500)))
        return;
    if (waits_for_lock(world, ask)) {
        after(world, node, 2 * MS, on_execute, event->number, ask);
        event->data = NULL;
        return;
    }
    world->coverage->troubles[DB_LATE] += abandoned && is_commit(ask);
    if (ask->verb != DB_LEAD && ask->verb != DB_READ_EVENTS &&
        chance(world, world->settings.db_locked)) {
        ask->outcome = DB_WAS_LOCKED;
        world->coverage->troubles[DB_LOCKED]++;
        transaction_t *open = db_find_transaction(world, ask->transaction);
        if (ask->transaction && open)
            db_end_transaction(world, open);
    } else {
        execute(world, ask);
    }
    note_progress(world, ask, abandoned ? NOTHING : DONE);
    if (ask->outcome == DB_OK && chance(world, world->settings.db_away / 2)) {
        world->coverage->troubles[DB_NO_ANSWER]++;
        if (random_chance(&world->random, 700)) /* the connection breaks; else silence */
            message_at(world, ask->by, world->now + draw(world, 100, 300 * MS), ask->answer,
                       (int64_t)ask->serial, NULL);
        return;
    }
    if (abandoned)
        return;
    message_at(world, ask->by, world->now + draw(world, 100, 1 * MS), on_answer,
               (int64_t)ask->serial, ask);
    event->data = NULL;
}

/* A ping waits for no lock and no disk. */
static int64_t time_to_execute(world_t *world, db_verb_t verb)
{
    int64_t us = draw(world, 100, 3 * MS);
    int slow = verb == DB_LEAD ? world->settings.db_slow / 20 : world->settings.db_slow;
    return chance(world, slow) ? us + draw(world, 0, 6 * SECOND) : us;
}

static bool is_cut(const world_t *world, const node_t *by)
{
    return by->kind == GATEWAY && world->database->cut_until[by->index] > world->now;
}

uint64_t database_ask(world_t *world, node_t *by, thread_t thread, statement_t *statement,
                      int64_t deadline_ms, handler_t *answer)
{
    struct database *self = world->database;
    uint64_t serial = statement->serial = ++self->next;
    int64_t deadline = until_local(world, by, local_ms(world, by) + deadline_ms);
    bool never = self->away || is_cut(world, by);
    statement->by = by;
    statement->generation = by->generation;
    statement->thread = thread;
    statement->answer = answer;
    statement->session = session_of(world, statement);
    if (never) /* refused, or no answer at all */
        deadline = draw(world, 1 * MS, deadline);
    never = never || chance(world, world->settings.db_away / 2);
    after(world, by, deadline, answer, (int64_t)serial, NULL);
    if (never) {
        world->coverage->troubles[DB_NEVER_CAME]++;
        free(statement);
        return serial;
    }
    note_progress(world, statement, SENT);
    after(world, &world->database_node, time_to_execute(world, statement->verb), on_execute, 0,
          statement);
    return serial;
}

static void on_hang_up(world_t *world, node_t *node, event_t *event)
{
    struct database *self = world->database;
    (void)node;
    int gateway = (int)event->number / THREADS, thread = (int)event->number % THREADS;
    uint64_t session = *(uint64_t *)event->data;
    for (int i = 0; i < TRANSACTIONS_MAX; i++) {
        transaction_t *open = &self->transactions[i];
        if (open->id && open->gateway == gateway && (int)open->thread == thread &&
            open->session <= session)
            db_end_transaction(world, open);
    }
    if (thread == BY_CONTROL && self->leader == gateway && self->leader_session <= session)
        self->leader = -1;
}

void database_hang_up(world_t *world, node_t *by, thread_t thread)
{
    uint64_t *session = must_alloc(sizeof *session);
    *session = world->database->sessions[by->index][thread]++;
    world->database->progress[by->index][thread] = NOTHING;
    after(world, &world->database_node,
          draw(world, 0, random_chance(&world->random, 700) ? 5 * MS : IDLE_SESSION), on_hang_up,
          by->index * THREADS + (int)thread, session);
}

/* ---- faults ------------------------------------------------------------------------------ */

static void on_back(world_t *world, node_t *client, event_t *event)
{
    (void)client, (void)event;
    world->database->away = false;
}

void database_die(world_t *world, int64_t away_us)
{
    struct database *self = world->database;
    trace(world, &world->database_node, "dies");
    world->database_node.generation++; /* what was on its way to it is lost */
    world->database_node.paused_until = 0;
    for (int i = 0; i < TRANSACTIONS_MAX; i++)
        if (self->transactions[i].id)
            db_end_transaction(world, &self->transactions[i]);
    self->leader = -1;
    self->away = true;
    self->timeline += random_chance(&world->random, 300); /* a standby was promoted */
    after(world, &world->client, away_us, on_back, 0, NULL);
}

void database_cut(world_t *world, const node_t *gateway, int64_t us)
{
    world->database->cut_until[gateway->index] = world->now + us;
}

void database_heal(world_t *world)
{
    memset(world->database->cut_until, 0, sizeof world->database->cut_until);
}

point_t database_point(const world_t *world, const node_t *gateway)
{
    const struct database *self = world->database;
    point_t point = POINT_IDLE;
    for (int thread = 0; thread < THREADS; thread++) {
        if (self->progress[gateway->index][thread] == DONE)
            return POINT_COMMIT_UNANSWERED;
        if (self->progress[gateway->index][thread] == SENT)
            point = POINT_COMMIT_UNDER_WAY;
    }
    for (int i = 0; i < TRANSACTIONS_MAX && point == POINT_IDLE; i++)
        if (self->transactions[i].id && self->transactions[i].gateway == gateway->index)
            point = POINT_ROWS_LOCKED;
    return point;
}

bool database_busy(const world_t *world)
{
    for (int i = 0; i < TRANSACTIONS_MAX; i++)
        if (world->database->transactions[i].id)
            return true;
    return false;
}
