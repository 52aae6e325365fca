/* As gateway/dispatch/sweep_ask.c. Beside it stands what the answers said, to check that nothing is
 * given up that PROTOCOL.md does not let go. */
#include "tests/simulation/sweep_inside.h"

#define LOSS_MS (PT_MISSED_MAX * PT_INTERVAL_MS)

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

/* ---- questions -------------------------------------------------------------------------- */

bool sweep_ask_page(gateway_t *self)
{
    sweep_t *sweep = &self->sweep;
    pt_uuid_t from;
    pt_rounds_tick(sweep->rounds, gateway_now(self));
    if (!pt_rounds_wants_page(sweep->rounds, gateway_now(self), &from))
        return false;
    statement_t *statement = statement_new(DB_OUT_PAGE, (size_t)self->world->settings.page_max);
    statement->after = from;
    sweep_state(self, statement);
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

void sweep_send_question(gateway_t *self, const statement_t *answer)
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
