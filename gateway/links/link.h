/* The gateway's side of one session with one broker (PROTOCOL.md, section 4), pure. */
#ifndef PT_LINK_H
#define PT_LINK_H

#include "proto/message.h"

typedef enum {
    PT_LINK_NOTHING = 0,
    PT_LINK_SEND_HELLO = 1,
    PT_LINK_SEND_BEAT = 2,
    PT_LINK_REOPEN = 4, /* close the sockets, open new ones, then step again */
    PT_LINK_OPENED = 8, /* a session began: `session` is new */
    PT_LINK_LOST = 16   /* the session ended */
} pt_link_actions_t;    /* bits */

typedef struct {
    bool in_session;
    uint8_t session[PT_SESSION_SIZE];
    int64_t heard;       /* ms: last message, or the opening of the socket */
    int64_t echoed;      /* ms: last time it heard itself on the event path, or began the session */
    int64_t said;        /* ms: last hello or beat; an alive goes with each */
    int64_t quiet_until; /* ms: refused with a reason: no hello before */
    int64_t ticked;
} pt_link_t;

/* A link with a fresh socket; the next tick says hello. */
void pt_link_init(pt_link_t *self, int64_t now);

/* A message came from the broker. False: it is of another session, and to be dropped. */
bool pt_link_take(pt_link_t *self, const pt_msg_t *msg, int64_t now, unsigned *actions);

/* Its own alive came back over the event path. In session, three intervals without, and the path is
   deaf or dumb, whatever the job sockets say: everything is opened anew. */
void pt_link_echo(pt_link_t *self, int64_t now);

/* Call at least each quarter of an interval, after everything readable was read. */
unsigned pt_link_tick(pt_link_t *self, int64_t now);

#endif
