/* Jobs: from a gateway into the queue, out of it to a worker, and what is said about them. */
#include "broker/share.h"
#include "broker/state.h"

static uint64_t bit(const pt_type_t *type)
{
    return (uint64_t)1 << type->index;
}

/* ---- what is held ------------------------------------------------------------------------ */

static pt_held_t *find(pt_scheduler_t *self, const pt_uuid_t *job_id)
{
    return zhashx_lookup(self->jobs, job_id);
}

static pt_held_t *hold(pt_scheduler_t *self, const pt_uuid_t *job_id, uint32_t attempt,
                       pt_type_t *type)
{
    pt_held_t *held = zmalloc(sizeof *held);
    held->job_id = *job_id;
    held->attempt = attempt;
    held->type = type;
    zhashx_insert(self->jobs, &held->job_id, held);
    return held;
}

static void enqueue(pt_scheduler_t *self, pt_held_t *held, uint32_t weight)
{
    pt_queue_add(held->type->queue, held, weight);
    held->type->queued++;
    self->bytes += held->size;
    self->dirty |= bit(held->type);
    self->ready |= bit(held->type);
}

static void lease(pt_scheduler_t *self, pt_held_t *held, pt_peer_t *worker)
{
    held->worker = worker;
    TAILQ_INSERT_TAIL(&worker->held, held, link);
    worker->leases++;
    held->type->leased++;
    self->dirty |= bit(held->type);
}

static void end_lease(pt_scheduler_t *self, pt_held_t *held)
{
    pt_peer_t *worker = held->worker;
    TAILQ_REMOVE(&worker->held, held, link);
    held->worker = NULL;
    worker->leases--;
    held->type->leased--;
    pt_work_refresh(self, worker);
}

static void dequeue(pt_scheduler_t *self, pt_held_t *held)
{
    if (held->turns) /* else pt_queue_take took it out */
        pt_queue_remove(held->type->queue, held);
    held->type->queued--;
    self->bytes -= held->size;
    free(held->payload);
    held->payload = NULL;
    held->size = 0;
}

void pt_work_forget(pt_scheduler_t *self, pt_held_t *held)
{
    if (held->worker)
        end_lease(self, held);
    else
        dequeue(self, held);
    self->dirty |= bit(held->type);
    zhashx_delete(self->jobs, &held->job_id);
    free(held->asked);
    free(held);
}

/* Nobody wants this attempt any more: out of the queue, or stopped where it runs. */
static void withdraw(pt_scheduler_t *self, pt_held_t *held)
{
    if (held->worker)
        pt_say_stop(self, held->worker, &held->job_id, held->attempt);
    pt_work_forget(self, held);
}

void pt_work_return(pt_scheduler_t *self, pt_type_t *type, const char *reason)
{
    pt_held_t *held;
    while ((held = pt_queue_take(type->queue))) {
        pt_say_gone(self, NULL, &held->job_id, held->attempt, PT_GONE_HANDED_BACK, reason);
        pt_work_forget(self, held);
    }
}

/* ---- jobs to slots ----------------------------------------------------------------------- */

/* An agent stops giving credit above 2 × slots + 16 unsettled endings; one that does not stop there
   is stopped here, so that its leases cannot grow without bound. */
static bool overloaded(const pt_peer_t *worker)
{
    return worker->leases >= 4 * worker->slots + 16;
}

static size_t free_slots(const pt_seat_t *seat)
{
    if (!seat->worker->alive || overloaded(seat->worker) || seat->credit <= seat->sent)
        return 0;
    uint64_t free = seat->credit - seat->sent;
    return free < seat->slots ? (size_t)free : seat->slots;
}

void pt_work_refresh(pt_scheduler_t *self, pt_peer_t *worker)
{
    for (size_t i = 0; i < worker->seat_count; i++) {
        pt_seat_t *seat = &worker->seats[i];
        pt_seats_put(&seat->type->seats, seat, free_slots(seat));
        if (seat->listed)
            self->ready |= bit(seat->type);
    }
}

static void dispatch(pt_scheduler_t *self, pt_type_t *type)
{
    pt_seat_t *seat;
    pt_held_t *held;
    while ((seat = pt_seats_best(&type->seats)) && (held = pt_queue_take(type->queue))) {
        type->queued--;
        seat->sent++;
        lease(self, held, seat->worker);
        pt_work_refresh(self, seat->worker);
        pt_say_job(self, seat->worker, held);
    }
}

void pt_work_dispatch(pt_scheduler_t *self)
{
    uint64_t ready = self->ready;
    self->ready = 0;
    for (size_t i = 0; ready && i < self->type_count; i++)
        if (ready >> i & 1)
            dispatch(self, self->types[i]);
    self->ready = 0; /* set again by what dispatch itself refreshed, and all that is done */
}

/* ---- credit ------------------------------------------------------------------------------ */

static uint64_t unused(const pt_account_t *account)
{
    return account->given > account->received ? account->given - account->received : 0;
}

static void share_out(pt_scheduler_t *self, const pt_type_t *type)
{
    size_t n = self->peer_count[PT_GATEWAYS], i = 0;
    uint64_t *each = zmalloc(n * sizeof *each);
    pt_peer_t *gateway;
    TAILQ_FOREACH(gateway, &self->peers[PT_GATEWAYS], link)
    each[i++] = unused(&gateway->accounts[type->index]);
    uint64_t room = type->slots && !self->half_full ? type->slots + PT_SLACK : 0;
    uint64_t level = pt_share_level(room, type->queued + type->leased, each, n);
    free(each);
    TAILQ_FOREACH(gateway, &self->peers[PT_GATEWAYS], link)
    {
        pt_account_t *account = &gateway->accounts[type->index];
        if (unused(account) < level) {
            account->given = account->received + level;
            gateway->told |= bit(type);
        }
    }
}

/* The rest of the bytes is for the credit that was given before: a job that must be refused would
   come back at once as another attempt, again and again. */
static void look_at_bytes(pt_scheduler_t *self)
{
    bool half_full = self->bytes > self->config.max_bytes / 2;
    if (half_full != self->half_full)
        self->dirty = UINT64_MAX;
    self->half_full = half_full;
}

void pt_work_credit(pt_scheduler_t *self)
{
    look_at_bytes(self);
    if (!self->dirty || TAILQ_EMPTY(&self->peers[PT_GATEWAYS]))
        return;
    for (size_t i = 0; i < self->type_count; i++)
        if (self->dirty >> i & 1)
            share_out(self, self->types[i]);
    self->dirty = 0;
    pt_peer_t *gateway;
    TAILQ_FOREACH(gateway, &self->peers[PT_GATEWAYS], link)
    {
        if (gateway->told)
            pt_say_credit(self, gateway, gateway->told);
        gateway->told = 0;
    }
}

/* ---- at hello ---------------------------------------------------------------------------- */

/* Whether the broker's own knowledge stands against what the worker says that it holds. */
static bool outdated(const pt_held_t *held, const pt_peer_t *worker, const pt_peer_t *former,
                     const pt_ref_t *ref)
{
    if (!streq(held->type->name, ref->job_type)) /* it may not know what it says it holds */
        return true;
    if (held->attempt != ref->attempt)
        return held->attempt > ref->attempt;
    return held->worker && held->worker != worker && held->worker != former;
}

static void adopt(pt_scheduler_t *self, pt_peer_t *worker, pt_peer_t *former, const pt_ref_t *ref)
{
    pt_held_t *held = find(self, &ref->job_id);
    if (held && held->worker == worker && held->attempt == ref->attempt)
        return;
    if (held && outdated(held, worker, former, ref)) {
        pt_say_stop(self, worker, &ref->job_id, ref->attempt);
        return;
    }
    if (held && held->attempt == ref->attempt)
        pt_work_forget(self, held); /* queued here, or under the worker's former session */
    else if (held)
        withdraw(self, held);
    pt_type_t *type = pt_type_need(self, ref->job_type);
    lease(self, hold(self, &ref->job_id, ref->attempt, type), worker);
}

void pt_work_adopt(pt_scheduler_t *self, pt_peer_t *worker, pt_peer_t *former,
                   const pt_refs_t *refs)
{
    for (size_t i = 0; i < refs->count; i++)
        adopt(self, worker, former, &refs->items[i]);
    pt_work_refresh(self, worker);
}

/* ---- what gateways say ------------------------------------------------------------------- */

static void refuse(pt_scheduler_t *self, pt_peer_t *from, const pt_msg_t *msg, const char *reason)
{
    self->drops[PT_DROP_BEYOND]++;
    pt_say_gone(self, from, &msg->job_id, msg->attempt, PT_GONE_HANDED_BACK, reason);
}

/* Why a job cannot be taken, or NULL. */
static const char *no_room(const pt_scheduler_t *self, const pt_account_t *account, size_t size)
{
    if (!account)
        return "no worker serves this job type here";
    if (account->received > account->given)
        return "the job is beyond the credit";
    if (self->bytes + size > self->config.max_bytes)
        return "the broker's queue is full";
    return NULL;
}

/* Into the queue; or why not. Inputs that stay with the gateway are no payload: 0 bytes. */
static const char *take(pt_scheduler_t *self, const pt_peer_t *from, pt_type_t *type,
                        const pt_input_t *input)
{
    const pt_msg_t *msg = input->msg;
    void *payload = input->payload ? malloc(input->size) : NULL;
    if (input->payload && !payload)
        return "the broker is out of memory";
    pt_held_t *held = hold(self, &msg->job_id, msg->attempt, type);
    held->org_id = msg->org_id;
    held->priority = pt_msg_has(msg, PT_F_PRIORITY) ? (uint32_t)msg->priority : PT_PRIORITY_NORMAL;
    held->payload = payload ? memcpy(payload, input->payload, input->size) : NULL;
    held->size = input->size;
    held->inputs.size = msg->size;
    held->inputs.gateway = from->instance;
    memcpy(held->inputs.digest, msg->digest, PT_DIGEST_SIZE);
    enqueue(self, held, pt_msg_has(msg, PT_F_WEIGHT) ? (uint32_t)msg->weight : 1);
    return NULL;
}

static void on_job(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    const pt_msg_t *msg = input->msg;
    pt_type_t *type = pt_type_find(self, msg->job_type);
    pt_account_t *account = type ? &from->accounts[type->index] : NULL;
    if (account) {
        account->received++;
        self->dirty |= bit(type);
    }
    pt_held_t *held = find(self, &msg->job_id);
    if (held && held->attempt >= msg->attempt) { /* before its credit: it is not gone */
        self->drops[PT_DROP_DUPLICATE]++;
        return;
    }
    if (held) /* also if the newer one cannot be taken: nobody wants the older */
        withdraw(self, held);
    const char *why = no_room(self, account, input->size);
    if (!why)
        why = take(self, from, type, input);
    if (why)
        refuse(self, from, msg, why);
}

pt_held_t *pt_work_about(pt_scheduler_t *self, const pt_msg_t *msg)
{
    pt_held_t *held = find(self, &msg->job_id);
    if (held && held->attempt == msg->attempt)
        return held;
    self->drops[PT_DROP_UNKNOWN]++;
    return NULL;
}

static void on_settled(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    (void)from;
    pt_held_t *held = pt_work_about(self, input->msg);
    if (!held)
        return;
    if (held->worker)
        pt_say_settled(self, held->worker, input->msg);
    pt_work_forget(self, held);
}

static void on_stop(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    (void)from;
    pt_held_t *held = pt_work_about(self, input->msg);
    if (held)
        withdraw(self, held);
}

static void on_have(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    pt_msg_t answer;
    pt_msg_init(&answer, PT_HAVE);
    answer.round = input->msg->round;
    for (size_t i = 0; i < input->msg->jobs.count; i++) {
        const pt_ref_t *ref = &input->msg->jobs.items[i];
        pt_held_t *held = find(self, &ref->job_id);
        if (held && held->attempt == ref->attempt)
            pt_msg_add_ref(&answer, PT_F_JOBS, &ref->job_id, ref->attempt, held->type->name);
        else if (held && held->attempt < ref->attempt)
            withdraw(self, held);
    }
    pt_say_have(self, from, &answer);
    pt_msg_clear(&answer);
}

/* ---- what workers say -------------------------------------------------------------------- */

static void on_credit(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    const pt_counts_t *credit = &input->msg->credit;
    for (size_t i = 0; i < from->seat_count; i++) {
        uint64_t n = pt_counts_get(credit, from->seats[i].type->name);
        if (n > from->seats[i].credit)
            from->seats[i].credit = n;
    }
    pt_work_refresh(self, from);
}

static pt_gone_t how_gone(const pt_msg_t *msg)
{
    if (msg->certain && pt_msg_has(msg, PT_F_HANDED_BACK) && msg->handed_back)
        return PT_GONE_HANDED_BACK;
    return msg->certain ? PT_GONE_CERTAIN : PT_GONE_SILENT;
}

static void on_gone(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    const pt_msg_t *msg = input->msg;
    pt_held_t *held = pt_work_about(self, msg);
    if (!held || held->worker != from) {
        self->drops[PT_DROP_UNKNOWN] += held != NULL;
        return;
    }
    pt_say_gone(self, NULL, &msg->job_id, msg->attempt, how_gone(msg),
                pt_msg_has(msg, PT_F_REASON) ? msg->reason : NULL);
    pt_work_forget(self, held);
}

/* ---- what both say ----------------------------------------------------------------------- */

static void on_beat(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    if (from->route.side != PT_GATEWAYS)
        return;
    if (pt_msg_has(input->msg, PT_F_LEADER) && input->msg->leader)
        self->leader = from;
    else if (self->leader == from)
        self->leader = NULL;
}

static void on_bye(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    (void)input;
    pt_session_end(self, from, PT_GONE_CERTAIN, "the worker said bye");
}

typedef void handler_t(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input);

static handler_t *const handlers[PT_SIDES][PT_VERBS] = {
    [PT_GATEWAYS] = {[PT_JOB] = on_job,
                     [PT_BEAT] = on_beat,
                     [PT_STOP] = on_stop,
                     [PT_SETTLED] = on_settled,
                     [PT_HAVE] = on_have,
                     [PT_FETCH] = pt_fetch_asked,
                     [PT_CHUNK] = pt_fetch_answered,
                     [PT_BYE] = on_bye},
    [PT_WORKERS] = {[PT_CREDIT] = on_credit,
                    [PT_BEAT] = on_beat,
                    [PT_GONE] = on_gone,
                    [PT_FETCH] = pt_fetch_asked,
                    [PT_CHUNK] = pt_fetch_answered,
                    [PT_BYE] = on_bye},
};

void pt_work_message(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input)
{
    handler_t *handler = handlers[from->route.side][input->msg->verb];
    if (handler)
        handler(self, from, input);
    else
        self->drops[PT_DROP_VERB]++;
}
