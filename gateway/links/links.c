#include "gateway/links/links_inside.h"

#include "proto/program/log.h"
#include "proto/program/options.h"
#include "proto/program/process.h"

#define OUTBOX_BYTES (64 * 1024 * 1024)

static bool read_endpoints(pt_links_t *self, const pt_links_settings_t *settings)
{
    while (self->count < PT_LINKS_MAX) {
        broker_t *broker = &self->brokers[self->count];
        size_t n = (size_t)self->count;
        bool jobs = pt_word(settings->brokers, n, broker->jobs, sizeof broker->jobs);
        bool in = pt_word(settings->events_in, n, broker->events_in, sizeof broker->events_in);
        bool out = pt_word(settings->events, n, broker->events, sizeof broker->events);
        if (jobs != in || jobs != out)
            return false;
        if (!jobs)
            return self->count > 0;
        self->count++;
    }
    return true;
}

pt_links_t *pt_links_new(const pt_links_settings_t *settings, const pt_links_sink_t *sink)
{
    pt_links_t *self = zmalloc(sizeof *self);
    if (!read_endpoints(self, settings)) {
        pt_log(PT_ERROR,
               "--brokers, --events-in and --events must name the same brokers in the same order");
        free(self);
        return NULL;
    }
    self->sink = *sink;
    self->keyring = settings->keyring;
    self->instance = pt_uuid_random();
    gethostname(self->machine, sizeof self->machine - 1);
    self->outbox = pt_outbox_new(OUTBOX_BYTES);
    self->edges = pt_edges_new();
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

void pt_links_start(pt_links_t *self)
{
    pthread_create(&self->thread, NULL, pt_links_run, self);
}

void pt_links_stop(pt_links_t *self)
{
    atomic_store(&self->stop, true);
    pthread_join(self->thread, NULL);
}

void pt_links_destroy(pt_links_t **self_p)
{
    pt_links_t *self = *self_p;
    if (!self)
        return;
    pt_outbox_destroy(&self->outbox);
    pt_edges_destroy(&self->edges);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

void pt_links_set_leader(pt_links_t *self, bool leader)
{
    atomic_store(&self->leader, leader);
}

void pt_links_listen(pt_links_t *self, bool on)
{
    atomic_store(&self->listens, on);
}

pt_ticket_t pt_links_reserve(pt_links_t *self, const char *job_type)
{
    pthread_mutex_lock(&self->lock);
    pt_ticket_t ticket = pt_credit_reserve(&self->credit, job_type);
    pthread_mutex_unlock(&self->lock);
    return ticket;
}

void pt_links_release(pt_links_t *self, const pt_ticket_t *ticket, const char *job_type)
{
    pthread_mutex_lock(&self->lock);
    pt_credit_release(&self->credit, ticket, job_type);
    pthread_mutex_unlock(&self->lock);
    if (ticket->link >= 0)
        self->sink.credit(self->sink.context);
}

size_t pt_links_reserve_spare(pt_links_t *self, const char *job_type, pt_ticket_t *tickets,
                              size_t most)
{
    pthread_mutex_lock(&self->lock);
    size_t spare = pt_credit_spare(&self->credit, job_type);
    size_t count = spare < most ? spare : most;
    for (size_t i = 0; i < count; i++)
        tickets[i] = pt_credit_reserve(&self->credit, job_type);
    pthread_mutex_unlock(&self->lock);
    return count;
}

uint64_t pt_links_spare(pt_links_t *self, const char *job_type)
{
    pthread_mutex_lock(&self->lock);
    uint64_t n = pt_credit_spare(&self->credit, job_type);
    pthread_mutex_unlock(&self->lock);
    return n;
}

int64_t pt_links_slots(pt_links_t *self, const char *job_type)
{
    pthread_mutex_lock(&self->lock);
    int64_t n = pt_credit_slots(&self->credit, job_type);
    pthread_mutex_unlock(&self->lock);
    return n;
}

int pt_links_sessions(pt_links_t *self, pt_ticket_t tickets[PT_LINKS_MAX])
{
    int count = 0;
    pthread_mutex_lock(&self->lock);
    for (int i = 0; i < self->count; i++)
        if (self->credit.links[i].open) {
            tickets[count].link = i;
            memcpy(tickets[count++].session, self->credit.links[i].session, PT_SESSION_SIZE);
        }
    pthread_mutex_unlock(&self->lock);
    return count;
}

void pt_links_send(pt_links_t *self, const pt_ticket_t *ticket, pt_msg_t *msg, const void *payload,
                   size_t payload_size, int64_t expires)
{
    memcpy(msg->session, ticket->session, PT_SESSION_SIZE);
    pt_msg_set(msg, PT_F_SESSION);
    if (pt_outbox_put(self->outbox, ticket, msg, payload, payload_size, expires))
        return;
    atomic_fetch_add(&self->overflowed, 1);
    if (msg->verb == PT_JOB)
        pt_links_release(self, ticket, msg->job_type);
}

void pt_links_publish(pt_links_t *self, const pt_msg_t *msg)
{
    pt_ticket_t everywhere = {.link = -1};
    if (!pt_outbox_put(self->outbox, &everywhere, msg, NULL, 0, 0))
        atomic_fetch_add(&self->overflowed, 1);
}

void pt_links_publish_edge(pt_links_t *self, const pt_uuid_t *org_id, uint64_t seq,
                           uint64_t timeline)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_EDGE);
    msg.org_id = *org_id;
    msg.seq = seq;
    msg.timeline = timeline;
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set(&msg, PT_F_SEQ);
    pt_msg_set(&msg, PT_F_TIMELINE);
    pt_links_publish(self, &msg);
}

void pt_links_note_edge(pt_links_t *self, const pt_uuid_t *org_id, uint64_t seq, uint64_t timeline)
{
    pthread_mutex_lock(&self->lock);
    pt_edges_note(self->edges, org_id, seq, pt_clock_ms());
    atomic_store(&self->timeline, timeline);
    pthread_mutex_unlock(&self->lock);
}

pt_links_counts_t pt_links_counts(pt_links_t *self)
{
    pt_ticket_t tickets[PT_LINKS_MAX];
    return (pt_links_counts_t){.brokers = (uint64_t)self->count,
                               .in_session = (uint64_t)pt_links_sessions(self, tickets),
                               .dropped = atomic_load(&self->dropped),
                               .overflowed = atomic_load(&self->overflowed),
                               .published = atomic_load(&self->published),
                               .jobs_sent = atomic_load(&self->jobs_sent)};
}
