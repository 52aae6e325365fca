/* What a message must be to enter: the rules of PROTOCOL.md, sections 2 and 6, on plain bytes. */
#ifndef PT_CHECK_H
#define PT_CHECK_H

#include "proto/message.h"

/* Headers on the event path. They name things of at most 1,000 bytes; a limit far below a frame's
   keeps what a slow subscriber's queue can hold small, in bytes. */
#define PT_EVENT_HEADER_MAX 8192

typedef struct {
    const void *data; /* NULL: there is no such frame */
    size_t size;
} pt_bytes_t;

/* A message of the job sockets. Returns NULL and fills `msg` (to be cleared), or why it is none. */
const char *pt_check_job(pt_msg_t *msg, pt_bytes_t header, pt_bytes_t payload);

/* A message of the event path, by the same rule. */
const char *pt_check_event(pt_msg_t *msg, pt_bytes_t topic, pt_bytes_t header, pt_bytes_t payload);

#endif
