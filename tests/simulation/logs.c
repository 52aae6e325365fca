/* As gateway/record/logs.c: pieces of what pipelines write to standard error wait, and are stored
 * by one statement after the other; what cannot wait, or cannot be stored, is dropped. */
#include "tests/simulation/gateway_inside.h"
#include "tests/simulation/transcripts.h"

#define STATEMENT_MS 3000
#define PAUSE_MS 500

static void go(gateway_t *self);

static void drop(gateway_t *self, const log_piece_t *piece)
{
    job_at(self->world, piece->job)->log_lost = true;
}

void logs_clear(gateway_t *self)
{
    logs_t *logs = &self->logs;
    for (size_t i = 0; i < logs->queued; i++)
        drop(self, &logs->queue[i]);
    for (size_t i = 0; i < logs->taken; i++)
        drop(self, &logs->batch[i]);
    logs->queued = logs->taken = 0;
}

void logs_set_active(gateway_t *self, bool active)
{
    self->logs.active = active;
    for (size_t i = 0; !active && i < self->logs.queued; i++)
        drop(self, &self->logs.queue[i]);
    if (!active)
        self->logs.queued = 0;
}

void logs_take(gateway_t *self, const pt_msg_t *msg, const void *payload, size_t size)
{
    logs_t *logs = &self->logs;
    log_piece_t piece = {.job = job_find(self->world, &msg->job_id),
                         .org = org_find(&msg->org_id),
                         .attempt = msg->attempt,
                         .offset = msg->offset};
    if (pt_msg_check_payload(msg, payload, size) || piece.job < 0) {
        broken(self->world, "what a worker said is no piece of a log");
        return;
    }
    piece.size = transcript_check(self->world, &piece, payload, size);
    if (logs->active && logs->queued < LOGS_MAX)
        logs->queue[logs->queued++] = piece;
    else
        drop(self, &piece);
    go(self);
}

static void on_pause_end(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world, (void)event;
    self->logs.pausing = false;
    go(self);
}

static void on_stored(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    logs_t *logs = &self->logs;
    const statement_t *answer = event->data;
    if ((uint64_t)event->number != logs->serial)
        return;
    logs->serial = 0;
    bool done = answer && answer->outcome == DB_OK;
    for (size_t i = 0; i < logs->taken && !done; i++)
        drop(self, &logs->batch[i]);
    logs->taken = 0;
    if (!done) {
        database_hang_up(world, node, BY_LOGS);
        logs->pausing = true;
        after(world, node, PAUSE_MS * MS, on_pause_end, 0, NULL);
    }
    go(self);
}

static void go(gateway_t *self)
{
    logs_t *logs = &self->logs;
    if (logs->serial || logs->pausing || logs->queued == 0)
        return;
    statement_t *ask = statement_new(DB_STORE_LOGS, 0);
    logs->taken = logs->queued < DB_PIECES_MAX ? logs->queued : DB_PIECES_MAX;
    memcpy(logs->batch, logs->queue, logs->taken * sizeof *logs->queue);
    logs->queued -= logs->taken;
    memmove(logs->queue, logs->queue + logs->taken, logs->queued * sizeof *logs->queue);
    ask->piece_count = logs->taken;
    memcpy(ask->pieces, logs->batch, logs->taken * sizeof *logs->queue);
    logs->serial = database_ask(self->world, self->node, BY_LOGS, ask, STATEMENT_MS, on_stored);
}
