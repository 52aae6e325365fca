/* As gateway/dispatch/sweep_hand_out.c, with the promise about turns checked beside it. */
#include "tests/simulation/sweep_inside.h"

#include <stdio.h>

/* ---- turns ------------------------------------------------------------------------------- */

void sweep_clear_turns(gateway_t *self)
{
    for (int type = 0; type < TYPES_MAX; type++)
        pt_turns_clear(&self->sweep.turns[type]);
    memset(self->sweep.line, 0, sizeof self->sweep.line);
}

/* How many jobs of another organisation may go before the next one of this: of who comes anew, one;
   else as many as their weights say, and what is left of a round. */
static int promised(const gateway_t *self, const place_t *place, int org, int other)
{
    const int *weights = self->world->settings.weights;
    return place->had ? weights[other] / weights[org] + 2 : 1;
}

/* Another organisation's job goes before the first of this one. */
static void pass(gateway_t *self, place_t *place, int org, int other)
{
    if (++place->passed[other] > promised(self, place, org, other))
        broken(self->world, "%d jobs of organisation %d go before %s one of organisation %d",
               place->passed[other], other, place->had ? "the next" : "the first", org);
}

static void check_turn(gateway_t *self, const statement_t *answer, int org)
{
    place_t *place = &self->sweep.line[self->sweep.type][org];
    size_t i = 0;
    if (!answer->eligible[org]) { /* one behind what is locked may have gone */
        memset(place->passed, 0, sizeof place->passed);
        for (; i < answer->count; i++)
            place->had |= answer->items[i].org == org;
        return;
    }
    for (; i < answer->count && answer->items[i].org != org; i++)
        pass(self, place, org, answer->items[i].org);
    if (i == answer->count)
        return;
    if (!place->had && i > 0)
        sight(self->world, SIGHT_NEWCOMER_WAITED);
    *place = (place_t){.had = true};
}

static void take_turns(gateway_t *self, const statement_t *answer)
{
    for (int org = 0; org < self->world->settings.orgs; org++)
        check_turn(self, answer, org);
    for (size_t i = 0; i < answer->count; i++) {
        const item_t *item = &answer->items[i];
        pt_uuid_t id = org_id(item->org);
        pt_turns_took(&self->sweep.turns[self->sweep.type], &id, item->turn,
                      self->world->settings.weights[item->org]);
    }
}

static void say_turns(gateway_t *self, statement_t *statement)
{
    pt_turns_t *turns = &self->sweep.turns[statement->type];
    char *text = pt_turns_text(turns);
    snprintf(statement->turns, sizeof statement->turns, "%s", text);
    statement->number = turns->now;
    free(text);
}

/* ---- backlogs ---------------------------------------------------------------------------- */

/* A backlog that is due and has credit: hands out as much as there is credit for. */
static bool hand_out_due(gateway_t *self)
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
        say_turns(self, statement);
        sweep_state(self, statement);
        return true;
    }
    return false;
}

/* Large ones by another statement, which may fail: then the job is not sent, and the rounds find
   it. */
static bool reads_inputs(const gateway_t *self, int job)
{
    return job_at(self->world, job)->inputs == 0 ||
           !chance(self->world, self->world->settings.db_away);
}

void sweep_send_handed_out(gateway_t *self, const statement_t *answer)
{
    sweep_t *sweep = &self->sweep;
    int64_t expires = gateway_now(self) + PT_SEND_WITHIN_MS;
    int sent = 0;
    if (answer && answer->outcome == DB_OK)
        take_turns(self, answer);
    for (; answer && answer->outcome == DB_OK && sent < (int)answer->count; sent++) {
        const item_t *item = &answer->items[sent];
        if (reads_inputs(self, item->job))
            links_send_job(self, &sweep->tickets[sent], item->job, item->attempt, expires);
        else
            pt_credit_release(&self->credit, &sweep->tickets[sent], job_types[sweep->type]);
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
    sweep_state(self, statement);
}

void sweep_note_next_due(gateway_t *self, const statement_t *answer)
{
    sweep_t *sweep = &self->sweep;
    sweep->held[sweep->type] = answer->held && sweep->endings == sweep->endings_then;
    if (answer->held && !sweep->held[sweep->type]) /* what ended since was counted as out */
        sweep_note_waits(sweep, sweep->type, 0);
    if (answer->number >= 0)
        sweep_note_waits(&self->sweep, self->sweep.type,
                         gateway_now(self) + (answer->number > 0 ? answer->number : AGAIN_MS));
    self->sweep.reads_next_due = false;
    self->sweep.type++;
}

bool sweep_hand_out(gateway_t *self)
{
    if (!self->sweep.reads_next_due)
        return hand_out_due(self);
    ask_next_due(self);
    return true;
}
