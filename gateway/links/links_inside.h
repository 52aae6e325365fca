/* What links.c (for other threads) and links_loop.c (the links' own thread) share, and nobody else.
 */
#ifndef PT_LINKS_INSIDE_H
#define PT_LINKS_INSIDE_H

#include "gateway/links/edges.h"
#include "gateway/links/link.h"
#include "gateway/links/links.h"
#include "gateway/links/outbox.h"

#include <czmq.h>
#include <stdatomic.h>

typedef struct {
    char jobs[256], events_in[256], events[256];
    zsock_t *dealer, *sub, *pub;
    pt_link_t session;
    int64_t grumbled; /* when the log last spoke of what it sends; 0: never */
} broker_t;

struct pt_links {
    pt_links_sink_t sink;
    pthread_t thread;
    pt_outbox_t *outbox;
    const pt_keyring_t *keyring;
    broker_t brokers[PT_LINKS_MAX];
    int count;
    pt_uuid_t instance;
    char machine[PT_NAME_MAX];
    pt_edges_t *edges; /* under lock */
    bool hears;        /* subscribed as a leader */
    bool hears_ends;   /* subscribed to events, whoever leads */
    pthread_mutex_t lock;
    pt_credit_t credit; /* under lock */
    atomic_bool stop, leader, listens;
    _Atomic uint64_t timeline, dropped, overflowed, published, jobs_sent;
};

/* The thread: opens the sockets, and runs until `stop`. */
void *pt_links_run(void *arg);

#endif
