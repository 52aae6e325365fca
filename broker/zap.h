/* Who may connect: the ZAP handler (RFC 27) of all CURVE sockets of this process, in a thread of
 * its own, that asks the certificates in memory (keys.h) and keeps them up to date.
 *
 * Without a handler libzmq lets everybody in. So make it before any socket is bound and end it
 * after the last one; should its thread fail, the process ends.
 */
#ifndef PT_ZAP_H
#define PT_ZAP_H

#include "broker/counters.h"
#include "broker/keys.h"

/* What the handler gives to each connection, to be read with zmq_msg_gets: a number, each time a
   greater one. (User-Id, as always, is the key.) */
#define PT_ZAP_CONNECTION "X-Connection"

typedef struct pt_zap pt_zap_t;

/* NULL if there is a handler in this process already, which is logged. `keys` is borrowed. */
pt_zap_t *pt_zap_new(pt_keys_t *keys);
void pt_zap_destroy(pt_zap_t **self);

/* The last number that a connection was given. */
uint64_t pt_zap_last(pt_zap_t *self);

/* Connections that were refused, by reason. */
const pt_counters_t *pt_zap_refused(const pt_zap_t *self);

#endif
