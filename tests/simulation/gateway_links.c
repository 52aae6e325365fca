/* What a gateway says, each message in its turn, after what must be true by then. */
#include "tests/simulation/gateway_inside.h"

#include "proto/chunks.h"
#include "proto/topic.h"
#include "tests/simulation/inputs.h"

parcel_t *links_encode(const pt_msg_t *msg, const void *payload, size_t payload_size)
{
    char topic[PT_TOPIC_MAX];
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    pt_msg_encode(msg, &head);
    parcel_t *parcel =
        parcel_new(topic, pt_topic_format(topic, msg), head.data, head.size, payload, payload_size);
    msgpack_sbuffer_destroy(&head);
    return parcel;
}

/* What must be true by the time it is said, because of what was committed. */
static void check_said(gateway_t *self, const parcel_out_t *out)
{
    world_t *world = self->world;
    const char *type = "";
    if (out->verb == PT_EVENT && (database_event(world, out->org, out->seq, &type) != out->job ||
                                  strcmp(type, out->type) != 0))
        broken(world, "event %llu of organisation %d is published and not committed",
               (unsigned long long)out->seq, out->org);
    if (out->verb == PT_EDGE && out->seq > database_last_seq(world, out->org))
        broken(world, "an edge of organisation %d is ahead of the table", out->org);
    if (out->verb == PT_SETTLED && !database_settled(world, out->job, out->attempt))
        broken(world, "job %d.%u is settled and its ending is not recorded", out->job,
               out->attempt);
    if (out->verb == PT_JOB && !database_handed_out(world, out->job, out->attempt))
        broken(world, "job %d.%u is sent and was not handed out", out->job, out->attempt);
}

static void post(gateway_t *self, parcel_out_t *out)
{
    check_said(self, out);
    parcel_t *parcel = out->parcel;
    const pt_link_t *link = out->ticket.link >= 0 ? &self->links[out->ticket.link] : NULL;
    bool stands = link && link->in_session &&
                  memcmp(link->session, out->ticket.session, PT_SESSION_SIZE) == 0;
    trace(self->world, self->node, "sends %s of job %d.%u %s%s", pt_verb_name(out->verb), out->job,
          out->attempt, out->type, link && !stands ? ", too late for the session" : "");
    if (!link) {
        for (int i = 1; i < BROKERS; i++)
            network_publish(self->world, self->node, i,
                            parcel_new(parcel->bytes, parcel->topic_size, parcel_head(parcel),
                                       parcel->head_size, NULL, 0));
        network_publish(self->world, self->node, 0, parcel);
    } else if (stands && (!out->expires || gateway_now(self) <= out->expires)) {
        network_up(self->world, self->node, out->ticket.link, parcel);
    } else {
        free(parcel);
    }
}

/* One message a step, so that the gateway can die between any two. */
static void on_flush(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    parcel_out_t *out = self->first;
    (void)event;
    self->first = out->next;
    if (!self->first)
        self->last = &self->first;
    post(self, out);
    free(out);
    self->flushing = self->first != NULL;
    if (self->flushing)
        after(world, node, draw(world, 0, 300), on_flush, 0, NULL);
}

static void put(gateway_t *self, parcel_out_t out, const pt_msg_t *msg)
{
    parcel_out_t *copy = must_alloc(sizeof *copy);
    *copy = out;
    copy->verb = msg->verb;
    copy->attempt = msg->attempt;
    copy->job = pt_msg_has(msg, PT_F_JOB_ID) ? job_find(self->world, &msg->job_id) : -1;
    *self->last = copy;
    self->last = &copy->next;
    if (!self->flushing)
        after(self->world, self->node, draw(self->world, 0, 1 * MS), on_flush, 0, NULL);
    self->flushing = true;
}

void links_send(gateway_t *self, const pt_ticket_t *ticket, pt_msg_t *msg, const void *payload,
                size_t payload_size, int64_t expires)
{
    memcpy(msg->session, ticket->session, PT_SESSION_SIZE);
    pt_msg_set(msg, PT_F_SESSION);
    put(self,
        (parcel_out_t){.ticket = *ticket,
                       .expires = expires,
                       .parcel = links_encode(msg, payload, payload_size)},
        msg);
}

void links_about_job(pt_msg_t *msg, pt_verb_t verb, const pt_uuid_t *job_id, uint32_t attempt)
{
    pt_msg_init(msg, verb);
    msg->job_id = *job_id;
    msg->attempt = attempt;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ATTEMPT);
}

static void set_elsewhere(pt_msg_t *msg, const msgpack_sbuffer *inputs)
{
    msg->size = inputs->size;
    pt_digest(inputs->data, inputs->size, msg->digest);
    pt_msg_set(msg, PT_F_SIZE);
    pt_msg_set(msg, PT_F_DIGEST);
}

void links_send_job(gateway_t *self, const pt_ticket_t *ticket, int number, uint32_t attempt,
                    int64_t expires)
{
    job_t *job = job_at(self->world, number);
    pt_msg_t msg;
    msgpack_sbuffer inputs;
    msgpack_sbuffer_init(&inputs);
    inputs_write(self->world, number, &inputs);
    links_about_job(&msg, PT_JOB, &job->id, attempt);
    msg.org_id = org_id(job->org);
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, job_types[job->type]);
    msg.priority = (uint64_t)job->priority;
    msg.weight = (uint64_t)self->world->settings.weights[job->org];
    pt_msg_set(&msg, PT_F_PRIORITY);
    pt_msg_set(&msg, PT_F_WEIGHT);
    bool large = inputs.size > PT_PAYLOAD_MAX;
    if (large)
        set_elsewhere(&msg, &inputs);
    job->sender = self->instance;
    links_send(self, ticket, &msg, large ? NULL : inputs.data, large ? 0 : inputs.size, expires);
    msgpack_sbuffer_destroy(&inputs);
}

void links_publish(gateway_t *self, const pt_msg_t *msg)
{
    parcel_out_t out = {.ticket.link = -1,
                        .org = org_find(&msg->org_id),
                        .seq = msg->seq,
                        .parcel = links_encode(msg, NULL, 0)};
    strcpy(out.type, msg->type);
    put(self, out, msg);
}

void links_note_edge(gateway_t *self, int org, uint64_t seq, uint64_t timeline)
{
    pt_uuid_t id = org_id(org);
    pt_edges_note(self->edges, &id, seq, gateway_now(self));
    self->timeline = timeline;
}

static void set_about(gateway_t *self, pt_msg_t *msg, int number, uint64_t seq)
{
    const job_t *job = job_at(self->world, number);
    msg->job_id = job->id;
    msg->org_id = org_id(job->org);
    msg->seq = seq;
    msg->timeline = self->timeline;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ORG_ID);
    pt_msg_set(msg, PT_F_SEQ);
    pt_msg_set(msg, PT_F_TIMELINE);
    pt_msg_set_text(msg, PT_F_JOB_TYPE, job_types[job->type]);
}

void links_announce(gateway_t *self, int job, uint64_t seq, bool waiting, const pt_event_t *event)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_EVENT);
    set_about(self, &msg, job, seq);
    msg.attempt = event->attempt;
    msg.at = event->at;
    msg.waiting = waiting;
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set(&msg, PT_F_AT);
    if (waiting)
        pt_msg_set(&msg, PT_F_WAITING);
    pt_msg_set_text(&msg, PT_F_STATUS, event->status);
    pt_msg_set_text(&msg, PT_F_TYPE, event->type);
    links_note_edge(self, job_at(self->world, job)->org, seq, self->timeline);
    links_publish(self, &msg);
}
