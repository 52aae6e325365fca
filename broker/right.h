/* Who may say and hear what, by the certificate that a connection has: PROTOCOL.md, section 8.
 * Plain rules on plain values; keys.h holds the rights of all certificates.
 */
#ifndef PT_RIGHT_H
#define PT_RIGHT_H

#include "broker/route.h"
#include "proto/message.h"

typedef enum { PT_ROLE_GATEWAY, PT_ROLE_WORKER, PT_ROLE_SUBSCRIBER, PT_ROLES } pt_role_t;

/* The broker's four sockets, as ZAP domains. */
typedef enum {
    PT_DOOR_GATEWAYS,
    PT_DOOR_WORKERS,
    PT_DOOR_EVENTS_IN,
    PT_DOOR_EVENTS,
    PT_DOORS
} pt_door_t;

typedef struct {
    pt_role_t role;
    bool all; /* a worker: of every job type; a subscriber: of every organisation */
    char types[PT_TYPES_MAX][PT_TYPE_MAX]; /* a worker's */
    size_t type_count;
    pt_uuid_t org; /* a subscriber's */
} pt_right_t;

/* From a certificate's metadata, NULL where there is none: the role; a worker's job types,
   separated by spaces, or `*`; a subscriber's organisation, or `*`. Returns NULL, or why it is no
   right. */
const char *pt_right_read(pt_right_t *self, const char *role, const char *job_types,
                          const char *org);

bool pt_right_equal(const pt_right_t *a, const pt_right_t *b);

/* Each returns NULL, or why not. To connect at all: */
const char *pt_right_enter(const pt_right_t *self, pt_door_t door);
/* To say this on a job socket: */
const char *pt_right_job(const pt_right_t *self, pt_side_t side, const pt_msg_t *msg);
/* To publish this: */
const char *pt_right_publish(const pt_right_t *self, const pt_msg_t *msg);
/* To hear what begins so: */
const char *pt_right_subscribe(const pt_right_t *self, const void *prefix, size_t size);

const char *pt_role_name(pt_role_t role);
const char *pt_door_name(pt_door_t door);

#endif
