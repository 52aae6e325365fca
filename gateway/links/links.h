/* The gateway's sockets: for each broker a DEALER for jobs, a SUB for what workers say and a PUB
 * for durable events, all in one thread. Other threads hand it messages and reserve credit.
 *
 * What waits to be sent is bounded by bytes: above the limit the newest is dropped, which the
 * protocol makes harmless (a job is found by the next rounds, an ending is published again, an
 * event is read from the table).
 */
#ifndef PT_LINKS_H
#define PT_LINKS_H

#include "gateway/record/fact.h"
#include "proto/program/certificate.h"

typedef struct pt_links pt_links_t; /* opaque; committer.h names it too */

/* Who is told what comes in; called in the links' thread, must not wait. */
typedef struct {
    void *context;
    void (*fact)(void *context, pt_fact_t *fact); /* takes the fact's payload */
    /* A piece of a log; `payload` is borrowed, and may be none. False: it is nothing to store. */
    bool (*log)(void *context, const pt_msg_t *msg, const zframe_t *payload);
    /* What a worker declares of a job type; likewise. */
    bool (*declare)(void *context, const pt_msg_t *msg, const zframe_t *payload);
    void (*credit)(void *context);              /* some grew, came back (in the thread that
                                                   releases it), or other types are served */
    void (*brokers)(void *context, int broker); /* a session began, or `broker`'s ended (or -1) */
    void (*held)(void *context, int broker, uint64_t number, const pt_refs_t *held);
    void (*gone)(void *context, const pt_uuid_t *job_id, uint32_t attempt, bool certain,
                 bool counts, const char *reason);
    /* A piece of a large result; `payload` is borrowed. */
    void (*chunk)(void *context, const pt_msg_t *chunk, const void *payload, size_t size);
    /* A worker of that broker wants a piece of large inputs. */
    void (*fetch)(void *context, const pt_ticket_t *from, const pt_msg_t *fetch);
    /* A gateway's event passed by; `is_new`: its number is above the last that was noted. */
    void (*event)(void *context, const pt_msg_t *event, bool is_new);
    /* An event says that the job has ended. */
    void (*ended)(void *context, const pt_uuid_t *job_id);
} pt_links_sink_t;

/* The brokers' endpoints, words separated by spaces, in the same order in all three. NULL after a
   line in the log if they do not fit each other. The keyring is borrowed, and may be empty. */
typedef struct {
    const char *brokers, *events_in, *events;
    const pt_keyring_t *keyring;
} pt_links_settings_t;
pt_links_t *pt_links_new(const pt_links_settings_t *settings, const pt_links_sink_t *sink);
/* Starts the thread: from here on the sink is called. */
void pt_links_start(pt_links_t *self);
/* Sends what waits, says bye to all and ends the thread. Nothing is sent any more. */
void pt_links_stop(pt_links_t *self);
void pt_links_destroy(pt_links_t **self);

/* Only the leader hears status, result, log, declare and event, says so in its beats and repeats
 * the edges.
 */
void pt_links_set_leader(pt_links_t *self, bool leader);

/* Whether events are heard for the sake of `ended` alone, by whoever leads; within a quarter of a
   second. */
void pt_links_listen(pt_links_t *self, bool on);

/* Credit, see credit.h; safe from any thread. */
pt_ticket_t pt_links_reserve(pt_links_t *self, const char *job_type);
void pt_links_release(pt_links_t *self, const pt_ticket_t *ticket, const char *job_type);
uint64_t pt_links_spare(pt_links_t *self, const char *job_type);
/* Takes up to `most` places for what has waited, and says how many. */
size_t pt_links_reserve_spare(pt_links_t *self, const char *job_type, pt_ticket_t *tickets,
                              size_t most);
int64_t pt_links_slots(pt_links_t *self, const char *job_type);

/* The sessions that are open now, a ticket each; returns how many. */
int pt_links_sessions(pt_links_t *self, pt_ticket_t tickets[PT_LINKS_MAX]);

/* Sends to the ticket's broker, if its session still stands, and not after `expires` (clock ms; 0:
   no limit). Sets the session. The payload is copied. */
void pt_links_send(pt_links_t *self, const pt_ticket_t *ticket, pt_msg_t *msg, const void *payload,
                   size_t payload_size, int64_t expires);

/* Publishes an event or edge at every broker. */
void pt_links_publish(pt_links_t *self, const pt_msg_t *msg);
void pt_links_publish_edge(pt_links_t *self, const pt_uuid_t *org_id, uint64_t seq,
                           uint64_t timeline);

/* An organisation's last number, to be repeated by the leader. */
void pt_links_note_edge(pt_links_t *self, const pt_uuid_t *org_id, uint64_t seq, uint64_t timeline);

typedef struct {
    uint64_t brokers, in_session, dropped, overflowed, published, jobs_sent;
} pt_links_counts_t;
pt_links_counts_t pt_links_counts(pt_links_t *self);

#endif
