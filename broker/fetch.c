/* Large payloads pass through in chunks: PROTOCOL.md section 3. Nothing of them is kept here but
 * who asked last and which chunks are under way, so a chunk is never in memory that nobody waits
 * for.
 */
#include "broker/state.h"

#include "proto/chunks.h"

/* Shorter than a peer's patience, so that what it asks again is not taken for one too many. */
#define UNDER_WAY_MS (2 * PT_INTERVAL_MS)

typedef struct pt_asked {
    pt_uuid_t instance; /* who asked last */
    struct {
        uint64_t offset;
        int64_t until; /* then nobody waits for the answer; 0: none is under way */
    } chunks[PT_CHUNKS_UNDER_WAY];
} pt_asked_t;

/* Who asks for the first time begins anew: what another one asked for is no longer waited for. */
static pt_asked_t *asked_by(pt_held_t *held, const pt_peer_t *from)
{
    if (!held->asked)
        held->asked = zmalloc(sizeof *held->asked);
    if (!pt_uuid_equal(&held->asked->instance, &from->instance)) {
        memset(held->asked, 0, sizeof *held->asked);
        held->asked->instance = from->instance;
    }
    return held->asked;
}

/* Notes that the chunk is under way; false if it is already, or four others are. */
static bool note(pt_asked_t *asked, uint64_t offset, int64_t now)
{
    size_t place = PT_CHUNKS_UNDER_WAY;
    for (size_t i = 0; i < PT_CHUNKS_UNDER_WAY; i++) {
        if (asked->chunks[i].until <= now)
            place = i;
        else if (asked->chunks[i].offset == offset)
            return false;
    }
    if (place == PT_CHUNKS_UNDER_WAY)
        return false;
    asked->chunks[place].offset = offset;
    asked->chunks[place].until = now + UNDER_WAY_MS;
    return true;
}

/* Late is good enough, as long as its place is still its own. */
static bool was_asked(pt_asked_t *asked, uint64_t offset)
{
    for (size_t i = 0; i < PT_CHUNKS_UNDER_WAY; i++)
        if (asked->chunks[i].until > 0 && asked->chunks[i].offset == offset) {
            asked->chunks[i].until = 0;
            return true;
        }
    return false;
}

static pt_peer_t *gateway_of(const pt_scheduler_t *self, const pt_uuid_t *instance)
{
    return zhashx_lookup(self->by_instance[PT_GATEWAYS], instance);
}

/* Inputs are with the gateway that sent the job; if that is gone, the leader reads them from the
   table. A result is with the worker. */
static pt_peer_t *holder(const pt_scheduler_t *self, const pt_held_t *held, const pt_peer_t *from)
{
    if (from->route.side == PT_GATEWAYS)
        return held->worker;
    if (held->worker != from)
        return NULL;
    pt_peer_t *sender = gateway_of(self, &held->inputs.gateway);
    return sender ? sender : self->leader;
}

void pt_fetch_asked(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    pt_held_t *held = pt_work_about(self, input->msg);
    if (!held)
        return;
    pt_peer_t *to = holder(self, held, from);
    if (to && note(asked_by(held, from), input->msg->offset, self->now))
        pt_say_on(self, to, input->msg, NULL, 0);
    else
        self->drops[PT_DROP_FETCH]++;
}

void pt_fetch_answered(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    pt_held_t *held = pt_work_about(self, input->msg);
    if (!held)
        return;
    bool is_result = from->route.side == PT_WORKERS;
    pt_peer_t *to = NULL;
    if (is_result && held->worker == from && held->asked)
        to = gateway_of(self, &held->asked->instance);
    else if (!is_result && held->worker && held->asked &&
             pt_uuid_equal(&held->asked->instance, &held->worker->instance))
        to = held->worker;
    if (to && was_asked(held->asked, input->msg->offset))
        pt_say_on(self, to, input->msg, input->payload, input->size);
    else
        self->drops[PT_DROP_FETCH]++;
}
