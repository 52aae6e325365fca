/* One ZeroMQ message, read without waiting and without trusting how many frames it has. */
#ifndef PT_FRAMES_H
#define PT_FRAMES_H

#include "broker/route.h"

#include <czmq.h>

#define PT_FRAMES_MAX 3

typedef struct {
    zmq_msg_t parts[PT_FRAMES_MAX]; /* the first `count` are open */
    size_t count;
    bool more; /* there were more frames; they are read and dropped */
} pt_frames_t;

/* Reads the next message; false if none is there. Clear it afterwards. */
bool pt_frames_read(pt_frames_t *self, void *socket);
void pt_frames_clear(pt_frames_t *self);

/* Sends its frames as they are, taking them; what cannot be sent at once is dropped. */
void pt_frames_send(pt_frames_t *self, void *socket);

/* Sends a message of a ROUTER: routing id, header, and the payload if it is not NULL. Takes the
   payload, which was malloc'ed, without copying it. Never waits; false if the peer is gone or too
   much waits for it already. */
bool pt_frames_post(void *socket, const pt_route_t *to, const void *header, size_t header_size,
                    void *payload, size_t size);

/* Closes a connection by its descriptor (zmq_msg_get with ZMQ_SRCFD; -1: none), for libzmq has no
   way to do that. The peer connects anew, if it is let in. A descriptor that has changed hands in
   the last moment costs another peer a new connection, and nothing else. */
void pt_connection_cut(int fd);

const void *pt_frames_data(pt_frames_t *self, size_t i);
/* 0 for a frame that is not there. */
size_t pt_frames_size(pt_frames_t *self, size_t i);

#endif
