#include "gateway/dispatch/sweep_inside.h"

#include "gateway/store/move.h"
#include "proto/program/process.h"

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
    pt_pg_outcome_t outcome =
        pt_pg_run(self->pg, &pt_sql_out_page, params, 2, PT_SWEEP_STATEMENT_MS, &rows);
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

pt_pg_outcome_t pt_sweep_ask(pt_sweep_t *self, int64_t now)
{
    pt_uuid_t after;
    pthread_mutex_lock(&self->lock);
    pt_rounds_tick(self->rounds, now);
    bool wants = pt_rounds_wants_page(self->rounds, now, &after);
    pthread_mutex_unlock(&self->lock);
    return wants ? ask_page(self, &after) : PT_PG_OK;
}
