/* One request and its answer on a civetweb connection: what civetweb lets through and must not,
 * the body with a deadline, and the bytes of the answer.
 */
#ifndef PT_EXCHANGE_H
#define PT_EXCHANGE_H

#include "gateway/http/problem.h"

#include <civetweb.h>
#include <stdatomic.h>

/* Bytes of a head, for civetweb's max_request_size: malloc rounds it up to 16,376, so that a look
   at the two bytes behind a head that fills it reads nothing else. */
#define PT_HEAD_MAX "16370"

/* What bodies may take in memory, all together, beyond the first 16 KiB of each. */
typedef struct {
    atomic_llong taken;
    long long max;
} pt_room_t;

typedef struct {
    struct mg_connection *connection; /* borrowed */
    pt_room_t *bodies;                /* borrowed */
    long long charged;                /* bytes of it that are ours */
    long long max;                    /* bytes that a body may have */
    const struct mg_request_info *info;
    pt_header_t headers[MG_MAX_HEADERS];
    long long declared; /* bytes of the body; -1: chunked */
    bool expects;       /* the client waits for 100 Continue before it sends the body */
    bool unread;        /* the body, or the rest of it, is still to come */
    bool close;         /* this exchange is the connection's last */
    char *body;         /* owned */
} pt_exchange_t;

/* Fills both from what civetweb has parsed. */
void pt_exchange_open(pt_exchange_t *self, struct mg_connection *connection, pt_room_t *room,
                      pt_request_t *request);
void pt_exchange_close(pt_exchange_t *self);

/* Why the head is none that two programs would read alike, or NULL: two Content-Length, chunked
   beside a length, bare line feeds, a Host that is missing … Nothing after it can be trusted. */
const char *pt_exchange_fault(const pt_exchange_t *self, pt_problem_t *problem);

/* The body may have PT_BODY_LARGE_MAX bytes, and takes its room there. */
void pt_exchange_allow_large(pt_exchange_t *self, pt_room_t *room);

/* Reads the whole body into `request`; false if the answer is a problem already. */
bool pt_exchange_read(pt_exchange_t *self, pt_request_t *request, pt_response_t *response);

/* Sends the answer, as it is made if it is a stream, and decides whether the connection is kept. */
void pt_exchange_send(pt_exchange_t *self, const pt_request_t *request, pt_response_t *response);

/* Sends an answer to what civetweb could not parse and ends the connection; returns its status. */
int pt_exchange_reject(struct mg_connection *connection, int status);

#endif
