/* The event path, XSUB to XPUB, in a thread and loop of its own.
 *
 * Workers and gateways publish into the XSUB, which subscribes to everything, once: what clients
 * subscribe to never travels on to publishers. The loop checks each message (check.h), tells the
 * scheduler's thread who is alive, and passes the frames of everything else on as they came to the
 * XPUB, which alone filters.
 *
 * Limits: an event is at most PT_EVENT_HEADER_MAX + PT_PAYLOAD_MAX and its topic, 72 KiB; a
 * subscriber that does not read has at most PT_EVENTS_QUEUE of them waiting (70 MiB at the very
 * worst, half a megabyte of ordinary ones) and loses what is newer, which PROTOCOL.md provides
 * for. A subscription is at most PT_SUBSCRIPTION_MAX long, or the connection is closed: libzmq
 * keeps some 40 bytes for each of its bytes. How many there may be is limited where subscribers
 * have certificates, see subscribers.h.
 */
#ifndef PT_EVENTS_H
#define PT_EVENTS_H

#include "broker/counters.h"
#include "broker/subscribers.h"

#include <czmq.h>

#define PT_EVENTS_QUEUE 1000
#define PT_SUBSCRIPTION_MAX 1024 /* the longest topic has 113 bytes; a CURVE handshake needs more  \
                                  */

typedef struct pt_events pt_events_t;

/* Takes two bound sockets, XSUB and XPUB, to its thread. With CURVE, `keys` says who may publish
   and `subscribers`, made for that XPUB, who may hear; both are borrowed, and else NULL. */
pt_events_t *pt_events_new(zsock_t **in, zsock_t **out, pt_keys_t *keys,
                           pt_subscribers_t *subscribers);
void pt_events_destroy(pt_events_t **self);

/* Readable when workers are heard; each message is one frame, a pt_uuid_t instance. Owned by it;
   for the thread that made it. */
zsock_t *pt_events_alive(pt_events_t *self);

/* The time (pt_clock_ms) until when its loop has read everything. */
int64_t pt_events_at(pt_events_t *self);

/* What it passed, by verb, and dropped, by reason. */
const pt_counters_t *pt_events_passed(const pt_events_t *self);
const pt_counters_t *pt_events_dropped(const pt_events_t *self);

#endif
