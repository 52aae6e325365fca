/* As gateway/dispatch/sweep.c, sweep_hand_out.c and sweep_ask.c: the leader hands out what waits
 * and asks who holds what is out. Beside it stands what the answers said, to check that nothing is
 * given up that PROTOCOL.md does not let go. */
#include "tests/simulation/gateway_inside.h"

#define LOOK_MS 30000
#define EDGES_MS 500
#define AGAIN_MS 500
#define STATEMENT_MS 5000
#define LOSS_MS (PT_MISSED_MAX * PT_INTERVAL_MS)

static void go(gateway_t *self);

/* ---- wake-ups ---------------------------------------------------------------------------- */

static void waits(sweep_t *sweep, int type, int64_t due)
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
    waits(&self->sweep, type, gateway_now(self) + due_in_ms);
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

static int type_of(const char *job_type)
{
    int type = 0;
    while (strcmp(job_types[type], job_type) != 0)
        type++;
    return type;
}

void sweep_event(gateway_t *self, const pt_msg_t *event, bool is_new)
{
    pt_rounds_wake(self->sweep.rounds, false);
    if (event->waiting && strcmp(event->type, "created") == 0)
        waits(&self->sweep, type_of(event->job_type), gateway_now(self));
    if (is_new)
        self->sweep.hinted |= 1u << org_find(&event->org_id);
    wake_if_sooner(self);
}

void sweep_new(gateway_t *self)
{
    self->sweep.rounds = pt_rounds_new();
    for (int type = 0; type < TYPES_MAX; type++) {
        self->sweep.due[type] = INT64_MAX;
        self->sweep.last_org[type] = -1;
    }
}

void sweep_set_active(gateway_t *self, bool active)
{
    self->sweep.active = self->sweep.fresh = active;
    sweep_wake(self);
}

/* ---- what brokers say -------------------------------------------------------------------- */

/* A job is given up only when it is gone for certain, or when every broker that was asked answered,
   twice, three intervals apart, that it does not hold it. */
static void check_loss(gateway_t *self, int job, uint32_t attempt, bool certain)
{
    const sweep_t *sweep = &self->sweep;
    const hearsay_t *heard = &sweep->heard[job];
    bool known = certain && heard->gone_for_certain == attempt;
    bool twice = !certain && heard->attempt == attempt &&
                 sweep->asked_at - heard->asked >= LOSS_MS && sweep->asked &&
                 sweep->answered == sweep->asked;
    if (!known && !twice)
        broken(self->world,
               "%s gives job %d.%u up: it is not gone for certain, nor did nobody "
               "have it in two rounds",
               node_name(self->node), job, attempt);
}

static void report_lost(gateway_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool counts,
                        bool certain)
{
    pt_fact_t fact = {.said.said = PT_SAID_LOST, .from.link = -1};
    fact.said.job_id = *job_id;
    fact.said.attempt = attempt;
    fact.said.counts = counts;
    strcpy(fact.said.code, counts ? "worker_lost" : "handed_back");
    strcpy(fact.said.message, "its worker was lost");
    check_loss(self, job_find(self->world, job_id), attempt, certain);
    recorder_take(self, &fact);
}

static void lost_in_round(void *context, const pt_ref_t *ref)
{
    report_lost(context, &ref->job_id, ref->attempt, true, false);
}

void sweep_brokers(gateway_t *self, int gone)
{
    if (gone >= 0)
        pt_rounds_broker_gone(self->sweep.rounds, gone);
    pt_rounds_wake(self->sweep.rounds, false);
    sweep_wake(self);
}

static bool names(const pt_refs_t *held, const pt_uuid_t *id, uint32_t attempt)
{
    for (size_t i = 0; i < held->count; i++)
        if (held->items[i].attempt == attempt && pt_uuid_equal(&held->items[i].job_id, id))
            return true;
    return false;
}

/* Writes down what the answer says, beside the rules. */
static void note_answer(gateway_t *self, int broker, const pt_refs_t *held)
{
    sweep_t *sweep = &self->sweep;
    sweep->answered |= 1u << broker & sweep->asked;
    for (size_t i = 0; i < sweep->page_count; i++) {
        hearsay_t *heard = &sweep->heard[sweep->page[i]];
        uint32_t attempt = sweep->page_attempts[i];
        if (names(held, &job_at(self->world, sweep->page[i])->id, attempt)) {
            heard->attempt = 0;
        } else if (heard->attempt != attempt) {
            heard->attempt = attempt;
            heard->asked = sweep->asked_at;
        }
    }
}

void sweep_held(gateway_t *self, int broker, uint64_t round, const pt_refs_t *held)
{
    if (round == self->sweep.round)
        note_answer(self, broker, held);
    pt_rounds_answer(self->sweep.rounds, gateway_now(self), broker, round, held, lost_in_round,
                     self);
    sweep_wake(self);
}

void sweep_gone(gateway_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool certain,
                bool counts)
{
    if (certain) {
        self->sweep.heard[job_find(self->world, job_id)].gone_for_certain = attempt;
        report_lost(self, job_id, attempt, counts, true);
        return;
    }
    pt_rounds_wake(self->sweep.rounds, true);
    sweep_wake(self);
}

/* ---- its work, one statement after the other --------------------------------------------- */

static void on_answer(world_t *world, node_t *node, event_t *event);

static void ask(gateway_t *self, statement_t *statement)
{
    self->sweep.working = true;
    self->sweep.serial =
        database_ask(self->world, self->node, BY_SWEEP, statement, STATEMENT_MS, on_answer);
}

static void ask_edges(gateway_t *self, unsigned orgs)
{
    statement_t *statement = statement_new(DB_EDGES, 0);
    statement->number = orgs;
    ask(self, statement);
}

static void note_edges(gateway_t *self, const statement_t *answer)
{
    for (int org = 0; org < self->world->settings.orgs; org++)
        if (answer->number >> org & 1 && answer->seqs[org])
            links_note_edge(self, org, answer->seqs[org], answer->timeline);
}

/* A backlog that is due and has credit: hands out as much as there is credit for. */
static bool hand_out(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    for (; sweep->type < TYPES_MAX; sweep->type++) {
        const char *job_type = job_types[sweep->type];
        if (sweep->due[sweep->type] > gateway_now(self) ||
            pt_credit_spare(&self->credit, job_type) == 0)
            continue;
        sweep->due[sweep->type] = INT64_MAX;
        sweep->endings_then = sweep->endings;
        sweep->held[sweep->type] = false;
        sweep->ticket_count = 0;
        while (sweep->ticket_count < TICKETS_MAX && pt_credit_spare(&self->credit, job_type) > 0)
            sweep->tickets[sweep->ticket_count++] = pt_credit_reserve(&self->credit, job_type);
        statement_t *statement = statement_new(DB_HAND_OUT, (size_t)sweep->ticket_count);
        statement->type = sweep->type;
        statement->org = sweep->last_org[sweep->type];
        ask(self, statement);
        return true;
    }
    return false;
}

static void send_handed_out(gateway_t *self, const statement_t *answer)
{
    sweep_t *sweep = &self->sweep;
    int64_t expires = gateway_now(self) + PT_SEND_WITHIN_MS;
    int sent = 0;
    for (; answer && answer->outcome == DB_OK && sent < (int)answer->count; sent++) {
        const item_t *item = &answer->items[sent];
        links_send_job(self, &sweep->tickets[sent], item->job, item->attempt, expires);
        sweep->last_org[sweep->type] = item->org;
    }
    for (int i = sent; i < sweep->ticket_count; i++)
        pt_credit_release(&self->credit, &sweep->tickets[i], job_types[sweep->type]);
    sweep->reads_next_due = answer && answer->outcome == DB_OK && sent < sweep->ticket_count;
    if (!sweep->reads_next_due) /* there may be more: it stays due */
        sweep->due[sweep->type] = 0;
    pt_rounds_wake(sweep->rounds, false);
}

static void ask_next_due(gateway_t *self)
{
    statement_t *statement = statement_new(DB_NEXT_DUE, 0);
    statement->type = self->sweep.type;
    ask(self, statement);
}

static void note_next_due(gateway_t *self, const statement_t *answer)
{
    sweep_t *sweep = &self->sweep;
    sweep->held[sweep->type] = answer->held && sweep->endings == sweep->endings_then;
    if (answer->held && !sweep->held[sweep->type]) /* what ended since was counted as out */
        waits(sweep, sweep->type, 0);
    if (answer->number >= 0)
        waits(&self->sweep, self->sweep.type,
              gateway_now(self) + (answer->number > 0 ? answer->number : AGAIN_MS));
    self->sweep.reads_next_due = false;
    self->sweep.type++;
}

/* ---- what nobody serves, as sweep_expire.c ----------------------------------------------- */

#define GRACE_MS (6 * PT_INTERVAL_MS)

static bool is_waiting(const sweep_t *sweep, int type)
{
    return sweep->due[type] != INT64_MAX || sweep->held[type];
}

static void watch(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    int64_t now = gateway_now(self);
    for (int type = 0; type < TYPES_MAX; type++) {
        if (!is_waiting(sweep, type) || pt_credit_slots(&self->credit, job_types[type]) != 0)
            sweep->unserved_since[type] = 0;
        else if (sweep->unserved_since[type] == 0)
            sweep->unserved_since[type] = now;
        else
            continue;
        if (sweep->unserved_since[type] != 0 && now + GRACE_MS < sweep->expire_at)
            sweep->expire_at = now + GRACE_MS;
    }
}

/* True: the table is told of other types than before. */
static bool note_unserved(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    int64_t unserved = 0, kept = 0;
    watch(self);
    for (int type = 0; type < TYPES_MAX; type++) {
        int64_t since = sweep->unserved_since[type];
        if (since != 0 && gateway_now(self) - since >= GRACE_MS)
            unserved |= 1 << type;
        if (is_waiting(sweep, type) && pt_credit_slots(&self->credit, job_types[type]) <= 0)
            kept |= 1 << type;
    }
    if (pt_credit_slots(&self->credit, NULL) < 0 || unserved == sweep->unserved)
        return false;
    statement_t *statement = statement_new(DB_NOTE_UNSERVED, 0);
    statement->number = unserved;
    statement->context = kept;
    ask(self, statement);
    return true;
}

static void ask_expired(gateway_t *self, db_verb_t verb)
{
    statement_t *statement = statement_new(verb, verb == DB_EXPIRED ? BATCH_MOST : 0);
    statement->type = self->sweep.type;
    ask(self, statement);
}

static void sooner(sweep_t *sweep, int64_t due_in)
{
    sweep->expire_in = due_in < sweep->expire_in ? due_in : sweep->expire_in;
}

/* Each unserved type in turn; true: it waits for a statement. */
static bool expire(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    for (; sweep->type < TYPES_MAX; sweep->type++) {
        int64_t since = sweep->unserved_since[sweep->type];
        int64_t grace = since + GRACE_MS - gateway_now(self);
        if (since != 0 && grace > 0)
            sooner(sweep, grace);
        if (since != 0 && grace <= 0) {
            ask_expired(self, DB_EXPIRED);
            return true;
        }
    }
    sweep->expire_at =
        sweep->expire_in == INT64_MAX ? INT64_MAX : gateway_now(self) + sweep->expire_in;
    return false;
}

static void report_expired(gateway_t *self, const item_t *item)
{
    pt_fact_t fact = {.said.said = PT_SAID_EXPIRED, .from.link = -1};
    fact.said.job_id = job_at(self->world, item->job)->id;
    fact.said.attempt = item->attempt;
    strcpy(fact.said.code, "not_served");
    strcpy(fact.said.message, "nobody serves its type");
    recorder_take(self, &fact);
}

static void take_expired(gateway_t *self, const statement_t *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        report_expired(self, &answer->items[i]);
    if (answer->count > 0) {
        sooner(&self->sweep, AGAIN_MS);
        self->sweep.type++;
    } else {
        ask_expired(self, DB_NEXT_EXPIRY);
    }
}

static void take_next_expiry(gateway_t *self, const statement_t *answer)
{
    if (answer->number >= 0)
        sooner(&self->sweep, answer->number < AGAIN_MS ? AGAIN_MS : answer->number);
    self->sweep.type++;
}

static bool ask_page(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    pt_uuid_t from;
    pt_rounds_tick(sweep->rounds, gateway_now(self));
    if (!pt_rounds_wants_page(sweep->rounds, gateway_now(self), &from))
        return false;
    statement_t *statement = statement_new(DB_OUT_PAGE, (size_t)self->world->settings.page_max);
    statement->after = from;
    ask(self, statement);
    return true;
}

static int sessions(gateway_t *self, pt_ticket_t tickets[BROKERS], uint32_t *bits)
{
    int count = 0;
    *bits = 0;
    for (int i = 0; i < BROKERS; i++)
        if (self->credit.links[i].open) {
            *bits |= 1u << i;
            tickets[count].link = i;
            memcpy(tickets[count++].session, self->credit.links[i].session, PT_SESSION_SIZE);
        }
    return count;
}

static void note_question(gateway_t *self, const statement_t *answer, uint32_t brokers)
{
    sweep_t *sweep = &self->sweep;
    sweep->asked_at = gateway_now(self);
    sweep->asked = brokers;
    sweep->answered = 0;
    sweep->page_count = answer->count;
    for (size_t i = 0; i < answer->count; i++) {
        sweep->page[i] = answer->items[i].job;
        sweep->page_attempts[i] = answer->items[i].attempt;
    }
}

static void send_question(gateway_t *self, const statement_t *answer)
{
    pt_ticket_t tickets[BROKERS];
    uint32_t brokers;
    int count = sessions(self, tickets, &brokers);
    pt_msg_t question;
    pt_msg_init(&question, PT_HAVE);
    for (size_t i = 0; i < answer->count; i++) {
        const job_t *job = job_at(self->world, answer->items[i].job);
        pt_msg_add_ref(&question, PT_F_JOBS, &job->id, answer->items[i].attempt,
                       job_types[job->type]);
    }
    note_question(self, answer, brokers);
    self->sweep.round = question.round =
        pt_rounds_page(self->sweep.rounds, gateway_now(self), question.jobs.items,
                       question.jobs.count, answer->count == answer->room, brokers);
    pt_msg_set(&question, PT_F_ROUND);
    for (int i = 0; i < count && answer->count > 0; i++)
        links_send(self, &tickets[i], &question, NULL, 0, 0);
    pt_msg_clear(&question);
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

static bool work_on_backlogs(gateway_t *self)
{
    if (!self->sweep.reads_next_due)
        return hand_out(self);
    ask_next_due(self);
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
            ask(self, statement_new(DB_WAITING_TYPES, 0));
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
        if (work_on_backlogs(self))
            return true;
        sweep->stage = SWEEP_UNSERVED; /* fallthrough */
    case SWEEP_UNSERVED:
        if (note_unserved(self))
            return true;
        sweep->stage = SWEEP_EXPIRE;
        sweep->type = 0;
        sweep->expire_in = INT64_MAX; /* fallthrough */
    case SWEEP_EXPIRE:
        if (gateway_now(self) >= sweep->expire_at && expire(self))
            return true;
        sweep->stage = SWEEP_ASK; /* fallthrough */
    case SWEEP_ASK:
        if (ask_page(self))
            return true;
    }
    sweep->stage = SWEEP_BEGIN;
    return false;
}

static void take_looked(gateway_t *self, const statement_t *answer)
{
    for (int type = 0; type < TYPES_MAX; type++)
        if (answer->number >> type & 1)
            waits(&self->sweep, type, 0);
    pt_rounds_wake(self->sweep.rounds, false);
    self->sweep.look_at = gateway_now(self) + LOOK_MS;
    self->sweep.expire_at = 0;
    self->sweep.stage = SWEEP_EDGES;
}

static void take_begin(gateway_t *self, const statement_t *answer)
{
    note_edges(self, answer);
    pt_rounds_reset(self->sweep.rounds);
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
        note_next_due(self, answer);
        break;
    case DB_NOTE_UNSERVED:
        self->sweep.unserved = answer->number;
        break;
    case DB_EXPIRED:
        take_expired(self, answer);
        break;
    case DB_NEXT_EXPIRY:
        take_next_expiry(self, answer);
        break;
    default:
        send_question(self, answer);
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
        send_handed_out(self, answer);
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
