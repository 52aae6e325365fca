#include "tests/simulation/database.h"

#define TRANSACTIONS_MAX 16
#define IDLE_SESSION (3 * SECOND) /* as control.c's idle_session_timeout */
#define PAGE 25                   /* events read at once */

typedef struct {
    bool exists;
    pt_row_t row;
    int64_t due_at;      /* 0: null */
    uint64_t locked_by;  /* transaction; 0: nobody */
    uint32_t handed_out; /* the last attempt that was */
    unsigned endings;    /* events that say it has ended */
} record_t;

typedef struct {
    int job;
    const char *type;
} db_event_t;

typedef struct {
    uint64_t id; /* 0: none */
    int gateway;
    thread_t thread;
    uint64_t session;
} transaction_t;

typedef enum { NOTHING, SENT, DONE } progress_t;

struct database {
    record_t records[JOBS_MAX];
    db_event_t *events[ORGS_MAX];
    uint64_t last_seq[ORGS_MAX], timeline, next;
    transaction_t transactions[TRANSACTIONS_MAX];
    /* Of gateways' connections: numbered anew when they are thrown away. Subscribers read too. */
    uint64_t sessions[GATEWAYS_MAX][THREADS];
    progress_t progress[GATEWAYS_MAX][THREADS]; /* of a commit */
    int leader;                                 /* −1: nobody has the lock */
    uint64_t leader_session;
    int64_t leader_pinged;
    int64_t cut_until[GATEWAYS_MAX];
    int64_t unserved_since[TYPES_MAX]; /* 0: not noted */
    bool away;
};

static int64_t db_now(const world_t *world)
{
    return wall_us(world, &world->database_node);
}

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
    free(world->database);
}

/* ---- what every commit must leave true --------------------------------------------------- */

static int order_of(pt_state_t state)
{
    return state == PT_WAITING || state == PT_OUT ? 0 : state == PT_RUNNING ? 1 : 2;
}

static void check_progress(world_t *world, const record_t *old, const pt_row_t *row, int job)
{
    if (pt_state_ended(old->row.state))
        broken(world, "job %d had ended as %s and changes", job, pt_state_status(old->row.state));
    else if (row->attempt == old->row.attempt && order_of(row->state) < order_of(old->row.state))
        broken(world, "job %d goes back to %s within attempt %u", job, pt_state_status(row->state),
               row->attempt);
    else if (row->attempt != old->row.attempt &&
             (row->attempt != old->row.attempt + 1 || row->state != PT_WAITING))
        broken(world, "job %d: attempt %u becomes %u", job, old->row.attempt, row->attempt);
    else if (old->row.state == PT_WAITING && row->state != PT_CANCELED &&
             strcmp(row->code, "not_served") != 0)
        broken(world, "job %d waits, and something is recorded of it", job);
}

static void check_times(world_t *world, const record_t *old, const pt_row_t *row, int job)
{
    bool ended = pt_state_ended(row->state);
    if (old->row.started_at && row->started_at != old->row.started_at)
        broken(world, "job %d started a second time", job);
    else if (row->started_at && row->started_at < row->created_at)
        broken(world, "job %d started before it was created", job);
    else if (ended != (row->completed_at != 0))
        broken(world, "job %d is %s and completed_at is%s set", job, pt_state_status(row->state),
               ended ? " not" : "");
    else if (ended && (row->completed_at < row->created_at || row->completed_at < row->started_at))
        broken(world, "job %d was completed before it was started", job);
}

static void check_change(world_t *world, const record_t *old, const pt_row_t *row,
                         const pt_event_t *event, int job)
{
    check_progress(world, old, row, job);
    check_times(world, old, row, job);
    if (event->attempt != old->row.attempt)
        broken(world, "job %d at attempt %u changes by an event of attempt %u", job,
               old->row.attempt, event->attempt);
    if (row->tries > pt_patience_default.max_tries || row->losses > pt_patience_default.max_losses)
        broken(world, "job %d was tried %u times and lost %u times", job, row->tries, row->losses);
}

/* ---- changes ----------------------------------------------------------------------------- */

static uint64_t append_event(world_t *world, int org, int job, const char *type)
{
    struct database *self = world->database;
    if (self->last_seq[org] + 1 == EVENTS_MAX) {
        broken(world, "more than %d events of an organisation", EVENTS_MAX);
        return 0;
    }
    self->events[org][++self->last_seq[org]] = (db_event_t){job, type};
    return self->last_seq[org];
}

static void change(world_t *world, item_t *item)
{
    record_t *record = &world->database->records[item->job];
    check_change(world, record, &item->row, &item->event, item->job);
    record->row = item->row;
    record->due_at = item->row.state == PT_WAITING ? db_now(world) + item->row.due_in_us + 1 : 0;
    record->endings += pt_state_ended(item->row.state);
    if (record->endings > 1)
        broken(world, "job %d ended twice", item->job);
    item->seq = append_event(world, job_at(world, item->job)->org, item->job, item->event.type);
    trace(world, &world->database_node, "job %02x%02x.%u is %s, event %llu %s",
          item->row.job_id.bytes[14], item->row.job_id.bytes[15], item->row.attempt,
          pt_state_status(item->row.state), (unsigned long long)item->seq, item->event.type);
}

static bool anything_waits(const world_t *world, int org, int type)
{
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        if (record->exists && record->due_at && job_at(world, job)->org == org &&
            job_at(world, job)->type == type)
            return true;
    }
    return false;
}

/* The first organisation may have a limit of jobs that are out. */
static int room_of(const world_t *world, int org)
{
    int out = 0;
    if (org != 0 || world->settings.max_out == 0)
        return INT32_MAX;
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        out += record->exists && !record->due_at && !pt_state_ended(record->row.state) &&
               job_at(world, job)->org == org;
    }
    return world->settings.max_out - out;
}

static void check_limit(world_t *world)
{
    if (room_of(world, 0) < 0)
        broken(world, "more jobs of an organisation are out than its limit allows");
}

static void create(world_t *world, item_t *item, bool at_once)
{
    record_t *record = &world->database->records[item->job];
    record->exists = true;
    record->row.job_id = job_at(world, item->job)->id;
    record->row.org_id = org_id(item->org);
    strcpy(record->row.job_type, job_types[item->type]);
    record->row.state = at_once ? PT_OUT : PT_WAITING;
    record->row.attempt = 1;
    record->row.created_at = db_now(world);
    record->row.fraction = -1;
    record->due_at = at_once ? 0 : db_now(world);
    record->handed_out = at_once;
    item->seq = append_event(world, item->org, item->job, "created");
    trace(world, &world->database_node, "job %02x%02x is created, %s", record->row.job_id.bytes[14],
          record->row.job_id.bytes[15], at_once ? "out" : "waiting");
}

static void submit(world_t *world, statement_t *ask)
{
    bool waits[ORGS_MAX][TYPES_MAX];
    for (int org = 0; org < ORGS_MAX; org++)
        for (int type = 0; type < TYPES_MAX; type++)
            waits[org][type] = anything_waits(world, org, type);
    for (size_t i = 0; i < ask->count; i++) {
        item_t *item = &ask->items[i];
        record_t *record = &world->database->records[item->job];
        item->seq = 0;
        if (!record->exists)
            create(world, item,
                   item->reserved && !waits[item->org][item->type] &&
                       room_of(world, item->org) == INT32_MAX);
        item->is_out =
            record->row.state == PT_OUT && record->due_at == 0 && record->row.attempt == 1;
        item->created_at = record->row.created_at;
    }
}

static transaction_t *find_transaction(world_t *world, uint64_t id)
{
    for (int i = 0; i < TRANSACTIONS_MAX; i++)
        if (world->database->transactions[i].id == id)
            return &world->database->transactions[i];
    return NULL;
}

static void end_transaction(world_t *world, transaction_t *transaction)
{
    for (int job = 0; job < world->settings.jobs; job++)
        if (world->database->records[job].locked_by == transaction->id)
            world->database->records[job].locked_by = 0;
    transaction->id = 0;
}

static void lock_rows(world_t *world, statement_t *ask)
{
    transaction_t *transaction = find_transaction(world, 0);
    if (!transaction) {
        ask->outcome = DB_AWAY;
        return;
    }
    *transaction =
        (transaction_t){++world->database->next, ask->by->index, ask->thread, ask->session};
    ask->transaction = transaction->id;
    ask->now = db_now(world);
    for (size_t i = 0; i < ask->count; i++) {
        item_t *item = &ask->items[i];
        record_t *record = item->job >= 0 ? &world->database->records[item->job] : NULL;
        item->exists = record && record->exists;
        item->locked =
            item->exists && (record->locked_by == 0 || record->locked_by == transaction->id);
        if (!item->locked)
            continue;
        record->locked_by = transaction->id;
        item->row = record->row;
    }
}

static void write_rows(world_t *world, statement_t *ask)
{
    transaction_t *transaction = find_transaction(world, ask->transaction);
    if (!transaction || ask->transaction == 0) { /* its connection has ended meanwhile */
        ask->outcome = DB_AWAY;
        return;
    }
    for (size_t i = 0; i < ask->count; i++)
        if (ask->items[i].took_result &&
            job_at(world, ask->items[i].job)->script == SCRIPT_UNACCEPTABLE)
            ask->outcome = DB_WAS_REFUSED;
    for (size_t i = 0; i < ask->count && ask->outcome == DB_OK; i++)
        if (ask->items[i].changed)
            change(world, &ask->items[i]);
    world->coverage->troubles[DB_REFUSED] += ask->outcome == DB_WAS_REFUSED;
    end_transaction(world, transaction);
}

static bool is_due(const world_t *world, int job, int org, int type)
{
    const record_t *record = &world->database->records[job];
    return record->exists && record->due_at && record->due_at <= db_now(world) &&
           job_at(world, job)->org == org && job_at(world, job)->type == type;
}

/* The organisation's job that has been due longest and is not in the list yet. */
static int next_due_of(const world_t *world, const statement_t *ask, int org)
{
    int best = -1;
    for (int job = 0; job < world->settings.jobs; job++) {
        bool taken = false;
        for (size_t i = 0; i < ask->count && !taken; i++)
            taken = ask->items[i].job == job;
        if (!taken && is_due(world, job, org, ask->type) &&
            (best < 0 ||
             world->database->records[job].due_at < world->database->records[best].due_at))
            best = job;
    }
    return best;
}

static void choose_due(world_t *world, statement_t *ask)
{
    bool any = true;
    int room[ORGS_MAX];
    for (int org = 0; org < ORGS_MAX; org++)
        room[org] = room_of(world, org);
    while (any && ask->count < ask->room) {
        any = false;
        for (int i = 1; i <= ORGS_MAX && ask->count < ask->room; i++) {
            int org = (ask->org + i + ORGS_MAX) % ORGS_MAX;
            int job = room[org] > 0 ? next_due_of(world, ask, org) : -1;
            if (job >= 0) {
                ask->items[ask->count++].job = job;
                room[org]--;
            }
            any = any || job >= 0;
        }
    }
}

static void hand_out(world_t *world, statement_t *ask)
{
    size_t kept = 0;
    choose_due(world, ask);
    for (size_t i = 0; i < ask->count; i++) {
        record_t *record = &world->database->records[ask->items[i].job];
        if (record->locked_by) /* skip locked */
            continue;
        world->coverage->rows[PT_WAITING][PT_FACT_HANDED_OUT]++;
        if (record->handed_out >= record->row.attempt)
            broken(world, "job %d: attempt %u is handed out again", ask->items[i].job,
                   record->row.attempt);
        record->due_at = 0;
        record->row.state = pt_job_transition(PT_WAITING, PT_FACT_HANDED_OUT).next;
        record->handed_out = record->row.attempt;
        ask->items[kept].job = ask->items[i].job;
        ask->items[kept].org = job_at(world, ask->items[i].job)->org;
        ask->items[kept++].attempt = record->row.attempt;
    }
    ask->count = kept;
    check_limit(world);
}

static void cancel(world_t *world, statement_t *ask)
{
    item_t *item = &ask->items[0];
    record_t *record = &world->database->records[item->job];
    item->exists = record->exists;
    if (!record->exists)
        return;
    pt_transition_t transition = pt_job_transition(record->row.state, PT_FACT_CANCELED);
    world->coverage->rows[record->row.state][PT_FACT_CANCELED]++;
    item->attempt = record->row.attempt;
    item->changed = transition.event != NULL;
    if (!item->changed)
        return;
    item->row = record->row;
    item->row.state = transition.next;
    int64_t least = item->row.started_at ? item->row.started_at : item->row.created_at;
    item->row.completed_at = db_now(world) > least ? db_now(world) : least;
    item->event = (pt_event_t){.type = transition.event,
                               .status = pt_state_status(transition.next),
                               .attempt = record->row.attempt,
                               .at = item->row.completed_at};
    change(world, item);
}

/* ---- questions --------------------------------------------------------------------------- */

static void next_due(world_t *world, statement_t *ask)
{
    ask->number = -1;
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        if (!record->exists || !record->due_at || job_at(world, job)->type != ask->type)
            continue;
        if (room_of(world, job_at(world, job)->org) <= 0) {
            ask->held = true;
            continue;
        }
        int64_t left = (record->due_at - db_now(world)) / MS;
        left = left > 0 ? left : 0;
        ask->number = ask->number < 0 || left < ask->number ? left : ask->number;
    }
}

static void awaits_ending(world_t *world, statement_t *ask)
{
    const record_t *record =
        ask->items[0].job < 0 ? NULL : &world->database->records[ask->items[0].job];
    ask->number = record && record->exists && !pt_state_ended(record->row.state) &&
                  record->row.attempt == ask->items[0].attempt;
}

static void note_unserved(world_t *world, statement_t *ask)
{
    int64_t *since = world->database->unserved_since;
    for (int type = 0; type < TYPES_MAX; type++) {
        if (!(ask->context >> type & 1))
            since[type] = 0;
        if (ask->number >> type & 1 && !since[type])
            since[type] = db_now(world);
    }
}

/* When it has waited too long: since it waits, and since nobody serves its type. */
static int64_t expiry_of(const world_t *world, int job)
{
    int64_t since = world->database->unserved_since[job_at(world, job)->type];
    int64_t due = world->database->records[job].due_at;
    return (since > due ? since : due) + world->settings.queue_timeout_us;
}

static bool waits_unserved(const world_t *world, int job, int type)
{
    const record_t *record = &world->database->records[job];
    return record->exists && record->due_at && job_at(world, job)->type == type &&
           world->database->unserved_since[type];
}

static void expired(world_t *world, statement_t *ask)
{
    for (int job = 0; job < world->settings.jobs && ask->count < ask->room; job++)
        if (waits_unserved(world, job, ask->type) && expiry_of(world, job) <= db_now(world))
            ask->items[ask->count++] =
                (item_t){.job = job, .attempt = world->database->records[job].row.attempt};
}

static void next_expiry(world_t *world, statement_t *ask)
{
    ask->number = -1;
    for (int job = 0; job < world->settings.jobs; job++) {
        if (!waits_unserved(world, job, ask->type))
            continue;
        int64_t left = (expiry_of(world, job) - db_now(world)) / MS + 1;
        left = left > 0 ? left : 0;
        ask->number = ask->number < 0 || left < ask->number ? left : ask->number;
    }
}

static void waiting_types(world_t *world, statement_t *ask)
{
    ask->number = 0;
    for (int job = 0; job < world->settings.jobs; job++)
        if (world->database->records[job].exists && world->database->records[job].due_at)
            ask->number |= 1 << job_at(world, job)->type;
}

static void out_page(world_t *world, statement_t *ask)
{
    for (pt_uuid_t last = ask->after; ask->count < ask->room;) {
        int best = -1;
        for (int job = 0; job < world->settings.jobs; job++) {
            const record_t *record = &world->database->records[job];
            if (record->exists && !record->due_at && !record->row.completed_at &&
                pt_uuid_compare(&record->row.job_id, &last) > 0 &&
                (best < 0 || pt_uuid_compare(&record->row.job_id,
                                             &world->database->records[best].row.job_id) < 0))
                best = job;
        }
        if (best < 0)
            return;
        last = world->database->records[best].row.job_id;
        ask->items[ask->count++] =
            (item_t){.job = best, .attempt = world->database->records[best].row.attempt};
    }
}

static void lead(world_t *world, statement_t *ask)
{
    struct database *self = world->database;
    if (self->leader >= 0 && world->now - self->leader_pinged > IDLE_SESSION)
        self->leader = -1;
    if (self->leader < 0) {
        self->leader = ask->by->index;
        self->leader_session = ask->session;
    }
    ask->number = self->leader == ask->by->index && self->leader_session == ask->session;
    if (ask->number)
        self->leader_pinged = world->now;
}

static void read_events(world_t *world, statement_t *ask)
{
    const struct database *self = world->database;
    for (uint64_t seq = (uint64_t)ask->number + 1;
         seq <= self->last_seq[ask->org] && ask->count < ask->room; seq++) {
        item_t *item = &ask->items[ask->count++];
        item->seq = seq;
        item->job = self->events[ask->org][seq].job;
        item->event.type = self->events[ask->org][seq].type;
    }
}

static void edges(world_t *world, statement_t *ask)
{
    memcpy(ask->seqs, world->database->last_seq, sizeof ask->seqs);
}

static void execute(world_t *world, statement_t *ask)
{
    static void (*const verbs[])(world_t *, statement_t *) = {[DB_SUBMIT] = submit,
                                                              [DB_LOCK_ROWS] = lock_rows,
                                                              [DB_WRITE] = write_rows,
                                                              [DB_HAND_OUT] = hand_out,
                                                              [DB_NEXT_DUE] = next_due,
                                                              [DB_AWAITS_ENDING] = awaits_ending,
                                                              [DB_NOTE_UNSERVED] = note_unserved,
                                                              [DB_EXPIRED] = expired,
                                                              [DB_NEXT_EXPIRY] = next_expiry,
                                                              [DB_WAITING_TYPES] = waiting_types,
                                                              [DB_OUT_PAGE] = out_page,
                                                              [DB_EDGES] = edges,
                                                              [DB_LEAD] = lead,
                                                              [DB_CANCEL] = cancel,
                                                              [DB_READ_EVENTS] = read_events};
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
        transaction_t *open = find_transaction(world, ask->transaction);
        if (ask->transaction && open)
            end_transaction(world, open);
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
            end_transaction(world, open);
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
            end_transaction(world, &self->transactions[i]);
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

/* ---- for who checks ---------------------------------------------------------------------- */

bool database_has(const world_t *world, int job)
{
    return world->database->records[job].exists;
}

const pt_row_t *database_row(const world_t *world, int job)
{
    return &world->database->records[job].row;
}

bool database_handed_out(const world_t *world, int job, uint32_t attempt)
{
    return world->database->records[job].handed_out >= attempt;
}

bool database_settled(const world_t *world, int job, uint32_t attempt)
{
    const record_t *record = &world->database->records[job];
    return !record->exists || pt_state_ended(record->row.state) || record->row.attempt > attempt;
}

uint64_t database_last_seq(const world_t *world, int org)
{
    return world->database->last_seq[org];
}

int database_event(const world_t *world, int org, uint64_t seq, const char **type)
{
    if (seq == 0 || seq > world->database->last_seq[org])
        return -1;
    *type = world->database->events[org][seq].type;
    return world->database->events[org][seq].job;
}

uint64_t database_timeline(const world_t *world)
{
    return world->database->timeline;
}

bool database_all_ended(const world_t *world)
{
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        if (record->exists && !pt_state_ended(record->row.state))
            return false;
    }
    return true;
}

/* What the script can lead to: failures are nobody else's fault. */
static bool is_fair(const world_t *world, const job_t *job, const pt_row_t *row)
{
    bool bad_for_good = job->bad_tries == BAD_ALWAYS || job->script == SCRIPT_UNACCEPTABLE;
    if (row->state == PT_CANCELED)
        return job->cancel_asked;
    if (row->state == PT_COMPLETED)
        return !bad_for_good;
    if (row->losses >= pt_patience_default.max_losses)
        return true;
    if (strcmp(row->code, "not_served") == 0)
        return world->settings.queue_timeout_us < 60 * (int64_t)SECOND;
    if (job->script == SCRIPT_FAILS || job->script == SCRIPT_UNACCEPTABLE)
        return row->tries > 0;
    return job->script != SCRIPT_GOOD && row->tries == pt_patience_default.max_tries;
}

void database_check_end(world_t *world)
{
    for (int i = 0; i < world->settings.jobs; i++) {
        const record_t *record = &world->database->records[i];
        const job_t *job = job_at(world, i);
        if (job->accepted && !record->exists)
            broken(world, "job %d was accepted and is not there", i);
        if (!record->exists)
            continue;
        if (!pt_state_ended(record->row.state))
            broken(world, "job %d has not ended", i);
        else if (!is_fair(world, job, &record->row))
            broken(world, "job %d of script %d ended as %s after %u tries", i, (int)job->script,
                   pt_state_status(record->row.state), record->row.tries);
        world->coverage->jobs++;
        world->coverage->attempts += record->row.attempt;
        world->coverage->completed += record->row.state == PT_COMPLETED;
        world->coverage->failed += record->row.state == PT_FAILED;
        world->coverage->canceled += record->row.state == PT_CANCELED;
    }
}
