/* Which subscriptions the XPUB heeds, by the certificates of those who subscribe.
 *
 * libzmq's XPUB, told ZMQ_XPUB_MANUAL, hands each subscription up and lets us enter it for the
 * connection from which the last one came. In libzmq 4.3.4 that has two traps, both of which a
 * subscriber could use on purpose, and both are met here:
 * - It is told which connection that was even when the connection is gone and its memory free. So
 * we watch connections end, and enter nothing for one that may have.
 * - Anything but a subscription that a subscriber sends shifts the connections of all subscriptions
 *   read after it: one's would be entered for another. So whoever sends it is cut off, and so are
 *   those whose subscription came with it; they connect and subscribe anew.
 *
 * Limits: a connection has at most PT_SUBSCRIPTIONS_MAX subscriptions, those that were refused
 * among them, because libzmq keeps them too; with more it is cut off.
 */
#ifndef PT_SUBSCRIBERS_H
#define PT_SUBSCRIBERS_H

#include "broker/zap.h"

#define PT_SUBSCRIPTIONS_MAX 1024

typedef struct pt_subscribers pt_subscribers_t;

/* For an XPUB that is not yet bound. All is borrowed. */
pt_subscribers_t *pt_subscribers_new(zsock_t *out, pt_keys_t *keys, pt_zap_t *zap);
void pt_subscribers_destroy(pt_subscribers_t **self);

/* For the thread that owns the XPUB: reads and decides what has come, and cuts off whose
   certificate was removed or changed. What is refused is counted in `dropped`. Call it often. */
void pt_subscribers_run(pt_subscribers_t *self, pt_counters_t *dropped);

/* Becomes readable when a connection has ended: then call run, too. */
zsock_t *pt_subscribers_ends(pt_subscribers_t *self);

#endif
