#include "gateway/record/transfers.h"

#include "proto/chunks.h"

#include <sys/queue.h>

typedef enum {
    WAITING,  /* for room */
    CHECKING, /* it is being looked up */
    FETCHING,
    RECORDING
} phase_t;

typedef struct transfer {
    pt_fact_t ending;
    phase_t phase;
    pt_chunks_t chunks; /* FETCHING */
    TAILQ_ENTRY(transfer) link;
} transfer_t;
typedef TAILQ_HEAD(, transfer) transfers_t;

struct pt_transfers {
    pt_transfers_sink_t sink;
    transfers_t waiting, running;
    pt_transfers_counts_t counts;
};

pt_transfers_t *pt_transfers_new(const pt_transfers_sink_t *sink)
{
    pt_transfers_t *self = zmalloc(sizeof *self);
    self->sink = *sink;
    TAILQ_INIT(&self->waiting);
    TAILQ_INIT(&self->running);
    return self;
}

static void forget(pt_transfers_t *self, transfer_t *transfer)
{
    if (transfer->phase == WAITING) {
        TAILQ_REMOVE(&self->waiting, transfer, link);
        self->counts.waiting--;
    } else {
        TAILQ_REMOVE(&self->running, transfer, link);
        self->counts.running--;
        self->counts.bytes -= transfer->ending.size;
    }
    pt_chunks_close(&transfer->chunks);
    free(transfer);
}

void pt_transfers_reset(pt_transfers_t *self)
{
    while (!TAILQ_EMPTY(&self->waiting))
        forget(self, TAILQ_FIRST(&self->waiting));
    while (!TAILQ_EMPTY(&self->running))
        forget(self, TAILQ_FIRST(&self->running));
}

void pt_transfers_destroy(pt_transfers_t **self_p)
{
    if (!*self_p)
        return;
    pt_transfers_reset(*self_p);
    free(*self_p);
    *self_p = NULL;
}

static transfer_t *find_in(transfers_t *list, const pt_uuid_t *job_id, uint32_t attempt)
{
    transfer_t *transfer;
    TAILQ_FOREACH(transfer, list, link)
    {
        const pt_said_fact_t *said = &transfer->ending.said;
        if (said->attempt == attempt && pt_uuid_equal(&said->job_id, job_id))
            return transfer;
    }
    return NULL;
}

static transfer_t *find(pt_transfers_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    transfer_t *transfer = find_in(&self->running, job_id, attempt);
    return transfer ? transfer : find_in(&self->waiting, job_id, attempt);
}

static void ask(pt_transfers_t *self, int64_t now, transfer_t *transfer)
{
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    const pt_fact_t *ending = &transfer->ending;
    size_t count = pt_chunks_ask(&transfer->chunks, now, offsets);
    for (size_t i = 0; i < count; i++)
        self->sink.fetch(self->sink.context, &ending->from, &ending->said.job_id,
                         ending->said.attempt, offsets[i]);
}

/* ---- endings ----------------------------------------------------------------------------- */

static bool is_same_place(const pt_ticket_t *a, const pt_ticket_t *b)
{
    return a->link == b->link && memcmp(a->session, b->session, sizeof a->session) == 0;
}

/* Its worker says the ending again, perhaps at another broker. */
static void go_on(pt_transfers_t *self, int64_t now, transfer_t *transfer, const pt_ticket_t *from)
{
    if (is_same_place(&transfer->ending.from, from))
        return;
    transfer->ending.from = *from;
    if (transfer->phase != FETCHING)
        return;
    pt_chunks_forget_asked(&transfer->chunks);
    ask(self, now, transfer);
}

void pt_transfers_offer(pt_transfers_t *self, int64_t now, const pt_fact_t *ending)
{
    transfer_t *known = find(self, &ending->said.job_id, ending->said.attempt);
    if (known && memcmp(known->ending.digest, ending->digest, sizeof ending->digest) == 0) {
        go_on(self, now, known, &ending->from);
        return;
    }
    if (known && known->phase == RECORDING)
        return; /* the first commit wins */
    if (known)
        forget(self, known);
    if (self->counts.waiting >= PT_TRANSFERS_WAITING)
        return;
    transfer_t *transfer = zmalloc(sizeof *transfer);
    transfer->ending = *ending;
    TAILQ_INSERT_TAIL(&self->waiting, transfer, link);
    self->counts.waiting++;
}

bool pt_transfers_next(pt_transfers_t *self, pt_fact_t *ending)
{
    transfer_t *transfer = TAILQ_FIRST(&self->waiting);
    if (!transfer || self->counts.bytes + transfer->ending.size > PT_TRANSFERS_BYTES)
        return false;
    TAILQ_REMOVE(&self->waiting, transfer, link);
    self->counts.waiting--;
    TAILQ_INSERT_TAIL(&self->running, transfer, link);
    self->counts.running++;
    self->counts.bytes += transfer->ending.size;
    transfer->phase = CHECKING;
    *ending = transfer->ending;
    return true;
}

void pt_transfers_judged(pt_transfers_t *self, int64_t now, const pt_uuid_t *job_id,
                         uint32_t attempt, bool wanted)
{
    transfer_t *transfer = find_in(&self->running, job_id, attempt);
    if (!transfer || transfer->phase != CHECKING)
        return;
    if (!wanted ||
        !pt_chunks_open(&transfer->chunks, transfer->ending.size, transfer->ending.digest, now)) {
        forget(self, transfer);
        return;
    }
    transfer->phase = FETCHING;
    ask(self, now, transfer);
}

/* ---- chunks ------------------------------------------------------------------------------ */

/* The bytes are there: they go with the ending, and count until it is recorded. */
static void hand_over(pt_transfers_t *self, transfer_t *transfer)
{
    pt_fact_t ending = transfer->ending;
    ending.payload = transfer->chunks.data;
    ending.payload_size = transfer->chunks.size;
    transfer->chunks.data = NULL;
    transfer->phase = RECORDING;
    if (!self->sink.done(self->sink.context, &ending))
        forget(self, transfer);
}

/* What the worker keeps is damaged: the job is done again, and the worker forgets it. */
static void give_up(pt_transfers_t *self, transfer_t *transfer)
{
    pt_fact_t loss = transfer->ending;
    loss.said.said = PT_SAID_LOST;
    loss.said.counts = loss.said.unusable = true;
    strcpy(loss.said.code, "result_damaged");
    strcpy(loss.said.message, "what its worker kept of the result is damaged");
    forget(self, transfer);
    self->sink.done(self->sink.context, &loss);
}

void pt_transfers_chunk(pt_transfers_t *self, int64_t now, const pt_msg_t *chunk,
                        const void *payload, size_t size)
{
    transfer_t *transfer = find_in(&self->running, &chunk->job_id, chunk->attempt);
    if (!transfer || transfer->phase != FETCHING)
        return;
    switch (pt_chunks_take(&transfer->chunks, now, chunk->offset, payload, size)) {
    case PT_CHUNKS_MORE:
        ask(self, now, transfer);
        break;
    case PT_CHUNKS_WHOLE:
        hand_over(self, transfer);
        break;
    case PT_CHUNKS_WRONG:
        give_up(self, transfer);
        break;
    }
}

void pt_transfers_forget(pt_transfers_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    transfer_t *transfer = find(self, job_id, attempt);
    if (transfer)
        forget(self, transfer);
}

/* ---- time -------------------------------------------------------------------------------- */

void pt_transfers_tick(pt_transfers_t *self, int64_t now)
{
    transfer_t *transfer, *next;
    for (transfer = TAILQ_FIRST(&self->running); transfer; transfer = next) {
        next = TAILQ_NEXT(transfer, link);
        if (transfer->phase != FETCHING)
            continue;
        if (now - transfer->chunks.heard >= PT_TRANSFERS_IDLE_MS)
            forget(self, transfer);
        else
            ask(self, now, transfer);
    }
}

int64_t pt_transfers_due(const pt_transfers_t *self)
{
    int64_t due = INT64_MAX;
    const transfer_t *transfer;
    TAILQ_FOREACH(transfer, &self->running, link)
    {
        int64_t at = transfer->phase == FETCHING ? pt_chunks_due(&transfer->chunks) : INT64_MAX;
        due = at < due ? at : due;
    }
    return due;
}

pt_transfers_counts_t pt_transfers_counts(const pt_transfers_t *self)
{
    return self->counts;
}
