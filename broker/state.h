/* What the scheduler's parts know of each other. Private to scheduler.c, sessions.c, work.c, say.c.
 *
 * A job is *held*, either queued (in its type's queue, with its payload) or leased (in its worker's
 * list, without). A *seat* is a worker's place for one type: its slots and how many are free.
 */
#ifndef PT_SCHEDULER_STATE_H
#define PT_SCHEDULER_STATE_H

#include "broker/queue.h"
#include "broker/scheduler.h"
#include "broker/seats.h"

#include <czmq.h>

/* Time without the pauses of the loop that feeds it. */
typedef struct {
    int64_t last, value;
    bool started;
} pt_pausing_clock_t;

typedef struct pt_type {
    char name[PT_TYPE_MAX];
    size_t index;          /* in the scheduler's table, and of its bit and numbers in gateways */
    size_t slots;          /* of all workers heard on both paths: the room is this + PT_SLACK */
    size_t queued, leased; /* jobs held */
    pt_queue_t *queue;
    pt_seats_t seats;  /* who has a free slot */
    int64_t served_at; /* when somebody served it, or nobody waited, last */
} pt_type_t;

typedef struct {
    uint64_t given, received; /* absolute, since hello */
} pt_account_t;

/* The processes that this one has taken the name of, newest first. Should one of them turn out to
   live, it is refused; otherwise two with one name would bury each other again and again. */
#define PT_BURIED_MAX 4
typedef struct {
    pt_uuid_t instances[PT_BURIED_MAX];
    size_t count;
} pt_buried_t;

struct pt_peer {
    pt_route_t route;
    pt_uuid_t instance;
    char machine[PT_NAME_MAX];
    uint8_t session[PT_SESSION_SIZE];
    uint64_t right;   /* its certificate's number; 0 without CURVE */
    int64_t heard_at; /* last message, on the scheduler's clock */
    int64_t beat_at;  /* last beat to it, in real time: it judges us by that */
    TAILQ_ENTRY(pt_peer) link;
    /* of a gateway */
    pt_account_t accounts[PT_TYPES_MAX];
    uint64_t told; /* a bit for each type of which it must be told its credit */
    /* of a worker */
    bool alive;       /* heard on the event path in this session */
    int64_t alive_at; /* on the event path's clock */
    pt_seat_t *seats;
    size_t seat_count, slots, leases;
    TAILQ_HEAD(, pt_held) held;
    pt_buried_t buried;
};
typedef TAILQ_HEAD(pt_peer_list, pt_peer) pt_peer_list_t;

struct pt_scheduler {
    pt_scheduler_config_t config;
    pt_pausing_clock_t clock, events;
    int64_t now, judged_at;
    pt_peer_list_t peers[PT_SIDES];
    size_t peer_count[PT_SIDES], heard_count;
    zhashx_t *by_route, *by_instance[PT_SIDES], *worker_by_machine; /* → pt_peer_t, borrowed */
    zhashx_t *jobs; /* job id → pt_held_t, owned */
    pt_type_t *types[PT_TYPES_MAX];
    size_t type_count;
    uint64_t dirty; /* a bit for each type whose credit must be counted anew at the next tick */
    uint64_t
        ready; /* a bit for each type that may have both a job and a slot, until the step ends */
    bool served_changed; /* a type has its first worker or lost its last: gateways must hear it */
    pt_peer_t *leader;
    size_t bytes, admit;
    bool half_full; /* of bytes: no new credit */
    uint64_t drops[PT_DROPS];
};

/* How sure the broker is that nobody computes a job that it no longer holds. */
typedef enum {
    PT_GONE_SILENT,     /* its worker may live at another broker */
    PT_GONE_CERTAIN,    /* its worker is dead, or never got it */
    PT_GONE_HANDED_BACK /* nobody began, or whoever did gave it back: no loss */
} pt_gone_t;

/* ---- scheduler.c ---- */
pt_type_t *pt_type_find(const pt_scheduler_t *self, const char *name);
/* The type, made if it is new; NULL if there are PT_TYPES_MAX others. */
pt_type_t *pt_type_need(pt_scheduler_t *self, const char *name);

/* ---- sessions.c ---- */
void pt_session_hello(pt_scheduler_t *self, const pt_route_t *from, uint64_t right,
                      const pt_msg_t *msg);
void pt_session_alive(pt_scheduler_t *self, pt_peer_t *worker);
/* Ends it and what it held: the leader is told gone, for `reason`. */
void pt_session_end(pt_scheduler_t *self, pt_peer_t *peer, pt_gone_t how, const char *reason);

/* ---- work.c ---- */
void pt_work_message(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input);
void pt_work_adopt(pt_scheduler_t *self, pt_peer_t *worker, pt_peer_t *former,
                   const pt_refs_t *refs);
/* Brings a worker's seats up to date with its credit, leases and whether it is heard. */
void pt_work_refresh(pt_scheduler_t *self, pt_peer_t *worker);
/* Gives jobs to slots where `ready` says that there may be both. */
void pt_work_dispatch(pt_scheduler_t *self);
/* Hands all queued jobs of the type back to the leader. */
void pt_work_return(pt_scheduler_t *self, pt_type_t *type, const char *reason);
/* The job that the message is about, if it is held at that attempt; else NULL, and counted. */
pt_held_t *pt_work_about(pt_scheduler_t *self, const pt_msg_t *msg);
/* Forgets a job that is held. */
void pt_work_forget(pt_scheduler_t *self, pt_held_t *held);
/* Tells gateways what they may send more, for the types that `dirty` names. */
void pt_work_credit(pt_scheduler_t *self);

/* ---- fetch.c ---- */
/* Passes a fetch on to whoever has the job's large payload, and a chunk to who asked for it. */
void pt_fetch_asked(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input);
void pt_fetch_answered(pt_scheduler_t *self, pt_peer_t *from, const pt_input_t *input);

/* ---- say.c ---- */
void pt_say_welcome(pt_scheduler_t *self, pt_peer_t *to);
void pt_say_hello_again(pt_scheduler_t *self, const pt_route_t *to, const char *reason);
void pt_say_job(pt_scheduler_t *self, pt_peer_t *to, pt_held_t *held);
void pt_say_credit(pt_scheduler_t *self, pt_peer_t *to, uint64_t types);
void pt_say_beat(pt_scheduler_t *self, pt_peer_t *to);
void pt_say_stop(pt_scheduler_t *self, pt_peer_t *to, const pt_uuid_t *job_id, uint32_t attempt);
void pt_say_settled(pt_scheduler_t *self, pt_peer_t *to, const pt_msg_t *from);
void pt_say_have(pt_scheduler_t *self, pt_peer_t *to, pt_msg_t *answer);
/* To the leader, and to `also` if that is another; either may be NULL. */
void pt_say_gone(pt_scheduler_t *self, pt_peer_t *also, const pt_uuid_t *job_id, uint32_t attempt,
                 pt_gone_t how, const char *reason);
/* The same fetch or chunk to somebody else; copies the payload. */
void pt_say_on(pt_scheduler_t *self, pt_peer_t *to, const pt_msg_t *msg, const void *payload,
               size_t size);
void pt_say_bye(pt_scheduler_t *self, pt_peer_t *to, const char *reason);

#endif
