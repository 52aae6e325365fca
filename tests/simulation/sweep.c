/* As gateway/dispatch/sweep.c: when the leader works on what. */
#include "tests/simulation/sweep_inside.h"

#define LOOK_MS 30000
#define EDGES_MS 500
#define STATEMENT_MS 5000

static void go(gateway_t *self);

/* ---- wake-ups ---------------------------------------------------------------------------- */

void sweep_note_waits(sweep_t *sweep, int type, int64_t due)
{
    if (due < sweep->due[type])
        sweep->due[type] = due;
    if (sweep->unserved_since[type] && sweep->expire_at == INT64_MAX)
        sweep->expire_at = 0; /* the first one again that may wait too long */
}

void sweep_wake(gateway_t *self)
{
    self->sweep.woken = true;
    go(self);
}

static int64_t next_due(gateway_t *self);

/* Only if that makes something due earlier than it knows. */
static void wake_if_sooner(gateway_t *self)
{
    if (self->sweep.active && next_due(self) < self->sweep.sleeps_until)
        sweep_wake(self);
}

void sweep_waits(gateway_t *self, int type, int64_t due_in_ms)
{
    sweep_note_waits(&self->sweep, type, gateway_now(self) + due_in_ms);
    pt_rounds_wake(self->sweep.rounds, false);
    wake_if_sooner(self);
}

void sweep_credit(gateway_t *self)
{
    wake_if_sooner(self);
}

void sweep_ended(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    bool any = false;
    sweep->endings++;
    for (int type = 0; type < TYPES_MAX; type++)
        if (sweep->held[type]) {
            sweep->held[type] = false;
            sweep->due[type] = 0;
            any = true;
        }
    if (any)
        sweep_wake(self);
}

void sweep_event(gateway_t *self, const pt_msg_t *event, bool is_new)
{
    pt_rounds_wake(self->sweep.rounds, false);
    if (event->waiting && strcmp(event->type, "created") == 0)
        sweep_note_waits(&self->sweep, type_find(event->job_type), gateway_now(self));
    if (strcmp(event->type, "canceled") == 0) /* by any gateway */
        sweep_ended(self);
    if (is_new)
        self->sweep.hinted |= 1u << org_find(&event->org_id);
    wake_if_sooner(self);
}

void sweep_new(gateway_t *self)
{
    self->sweep.rounds = pt_rounds_new();
    for (int type = 0; type < TYPES_MAX; type++) {
        self->sweep.due[type] = INT64_MAX;
    }
}

void sweep_destroy(gateway_t *self)
{
    pt_rounds_destroy(&self->sweep.rounds);
    sweep_clear_turns(self);
}

void sweep_set_active(gateway_t *self, bool active)
{
    self->sweep.active = self->sweep.fresh = active;
    sweep_wake(self);
}

/* ---- its work, one statement after the other --------------------------------------------- */

static void on_answer(world_t *world, node_t *node, event_t *event);

void sweep_state(gateway_t *self, statement_t *statement)
{
    self->sweep.working = true;
    self->sweep.serial =
        database_ask(self->world, self->node, BY_SWEEP, statement, STATEMENT_MS, on_answer);
}

static void ask_edges(gateway_t *self, unsigned orgs)
{
    statement_t *statement = statement_new(DB_EDGES, 0);
    statement->number = orgs;
    sweep_state(self, statement);
}

static void note_edges(gateway_t *self, const statement_t *answer)
{
    for (int org = 0; org < self->world->settings.orgs; org++)
        if (answer->number >> org & 1 && answer->seqs[org])
            links_note_edge(self, org, answer->seqs[org], answer->timeline);
}

/* All of them, at a look; or those of which other gateways published. */
static bool ask_hinted_edges(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    unsigned hinted = sweep->hinted;
    bool all = sweep->stage == SWEEP_EDGES;
    if (!all && (!hinted || gateway_now(self) < sweep->edges_at))
        return false;
    sweep->edges_at = gateway_now(self) + EDGES_MS;
    sweep->hinted = all ? hinted : 0;
    ask_edges(self, all ? ~0u >> 1 : hinted);
    return true;
}

/* Goes through the stages; true: it waits for a statement. */
static bool work(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    switch (sweep->stage) {
    case SWEEP_BEGIN: /* a new leader knows of nothing yet */
        if (sweep->fresh) {
            ask_edges(self, ~0u >> 1);
            return true;
        }
        sweep->stage = SWEEP_LOOK; /* fallthrough */
    case SWEEP_LOOK:
        if (gateway_now(self) >= sweep->look_at) {
            sweep_state(self, statement_new(DB_WAITING_TYPES, 0));
            return true;
        }
        sweep->stage = SWEEP_HINTED; /* fallthrough */
    case SWEEP_EDGES:
    case SWEEP_HINTED:
        if (ask_hinted_edges(self))
            return true;
        sweep->stage = SWEEP_HAND;
        sweep->type = 0; /* fallthrough */
    case SWEEP_HAND:
        if (sweep_hand_out(self))
            return true;
        sweep->stage = SWEEP_UNSERVED; /* fallthrough */
    case SWEEP_UNSERVED:
        if (sweep_note_unserved(self))
            return true;
        sweep->stage = SWEEP_EXPIRE;
        sweep->type = 0;
        sweep->expire_in = INT64_MAX; /* fallthrough */
    case SWEEP_EXPIRE:
        if (gateway_now(self) >= sweep->expire_at && sweep_expire(self))
            return true;
        sweep->stage = SWEEP_ASK; /* fallthrough */
    case SWEEP_ASK:
        if (sweep_ask_page(self))
            return true;
    }
    sweep->stage = SWEEP_BEGIN;
    return false;
}

static void take_looked(gateway_t *self, const statement_t *answer)
{
    for (int type = 0; type < TYPES_MAX; type++)
        if (answer->number >> type & 1)
            sweep_note_waits(&self->sweep, type, 0);
    pt_rounds_wake(self->sweep.rounds, false);
    self->sweep.look_at = gateway_now(self) + LOOK_MS;
    self->sweep.expire_at = 0;
    self->sweep.stage = SWEEP_EDGES;
}

static void take_begin(gateway_t *self, const statement_t *answer)
{
    note_edges(self, answer);
    pt_rounds_reset(self->sweep.rounds);
    sweep_clear_turns(self);
    memset(self->sweep.heard, 0, sizeof self->sweep.heard);
    memset(self->sweep.unserved_since, 0, sizeof self->sweep.unserved_since);
    self->sweep.unserved = 0;
    self->sweep.look_at = 0;
    self->sweep.fresh = false;
    self->sweep.stage = SWEEP_LOOK;
}

static void take_edges(gateway_t *self, const statement_t *answer)
{
    note_edges(self, answer);
    self->sweep.stage = self->sweep.stage == SWEEP_EDGES ? SWEEP_HINTED : SWEEP_HAND;
    self->sweep.type = 0;
}

static void take(gateway_t *self, const statement_t *answer)
{
    switch (answer->verb) {
    case DB_EDGES:
        if (self->sweep.stage == SWEEP_BEGIN)
            take_begin(self, answer);
        else
            take_edges(self, answer);
        break;
    case DB_WAITING_TYPES:
        take_looked(self, answer);
        break;
    case DB_HAND_OUT:
        self->sweep.type += !self->sweep.reads_next_due; /* its next due time is read first */
        break;
    case DB_NEXT_DUE:
        sweep_note_next_due(self, answer);
        break;
    case DB_NOTE_UNSERVED:
        self->sweep.unserved = answer->number;
        break;
    case DB_EXPIRED:
        sweep_take_expired(self, answer);
        break;
    case DB_NEXT_EXPIRY:
        sweep_take_next_expiry(self, answer);
        break;
    default:
        sweep_send_question(self, answer);
        self->sweep.stage = SWEEP_BEGIN;
    }
}

static void on_pause_end(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world, (void)event;
    self->sweep.pausing = false;
    sweep_wake(self);
}

static void on_answer(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    sweep_t *sweep = &self->sweep;
    const statement_t *answer = event->data;
    if ((uint64_t)event->number != sweep->serial)
        return;
    bool handed_out = sweep->stage == SWEEP_HAND && !sweep->reads_next_due;
    sweep->serial = 0;
    sweep->working = false;
    if (handed_out)
        sweep_send_handed_out(self, answer);
    if (answer && answer->outcome == DB_OK) {
        take(self, answer);
    } else { /* later, from the start */
        if (!answer || answer->outcome == DB_AWAY)
            database_hang_up(world, node, BY_SWEEP);
        sweep->stage = SWEEP_BEGIN;
        sweep->reads_next_due = false;
        sweep->pausing = true;
        after(world, node, AGAIN_MS * MS, on_pause_end, 0, NULL);
    }
    if (!sweep->active) {
        sweep->stage = SWEEP_BEGIN;
        sweep->reads_next_due = false;
    }
    sweep->woken = true;
    go(self);
}

/* ---- when -------------------------------------------------------------------------------- */

static int64_t next_due(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    int64_t due = sweep->look_at, rounds = pt_rounds_due(sweep->rounds, gateway_now(self));
    due = rounds < due ? rounds : due;
    due = sweep->expire_at < due ? sweep->expire_at : due;
    if (sweep->hinted && sweep->edges_at < due)
        due = sweep->edges_at;
    for (int type = 0; type < TYPES_MAX; type++)
        if (sweep->due[type] < due && pt_credit_spare(&self->credit, job_types[type]) > 0)
            due = sweep->due[type];
    return due;
}

static void on_due(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world;
    if ((uint64_t)event->number == self->sweep.planned)
        sweep_wake(self);
}

static void go(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    if (!sweep->active || sweep->working || sweep->pausing)
        return;
    if (sweep->woken) {
        sweep->woken = false;
        sweep->sleeps_until = INT64_MIN; /* while it works it looks at all before it sleeps */
        if (work(self))
            return;
    }
    sweep->sleeps_until = next_due(self);
    int64_t delay = until_local(self->world, self->node, sweep->sleeps_until);
    after(self->world, self->node, delay > MS ? delay : MS, on_due, (int64_t)++sweep->planned,
          NULL);
}
