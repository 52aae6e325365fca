/* As gateway/dispatch/sweep_expire.c. */
#include "tests/simulation/sweep_inside.h"

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
bool sweep_note_unserved(gateway_t *self)
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
    sweep_state(self, statement);
    return true;
}

static void ask_expired(gateway_t *self, db_verb_t verb)
{
    statement_t *statement = statement_new(verb, verb == DB_EXPIRED ? BATCH_MOST : 0);
    statement->type = self->sweep.type;
    sweep_state(self, statement);
}

static void sooner(sweep_t *sweep, int64_t due_in)
{
    sweep->expire_in = due_in < sweep->expire_in ? due_in : sweep->expire_in;
}

/* Each unserved type in turn; true: it waits for a statement. */
bool sweep_expire(gateway_t *self)
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

void sweep_take_expired(gateway_t *self, const statement_t *answer)
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

void sweep_take_next_expiry(gateway_t *self, const statement_t *answer)
{
    if (answer->number >= 0)
        sooner(&self->sweep, answer->number < AGAIN_MS ? AGAIN_MS : answer->number);
    self->sweep.type++;
}
