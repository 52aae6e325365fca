/* What the agent wants done, in order: a list that its loop (or a simulation) carries out. */
#ifndef PT_OUTPUTS_H
#define PT_OUTPUTS_H

#include "proto/topic.h"

typedef enum {
    PT_OUT_SEND,    /* head (and payload) to the broker's job socket */
    PT_OUT_PUBLISH, /* topic, head and payload to the broker's event path */
    PT_OUT_START,   /* head is what slot's pipeline reads: a job */
    PT_OUT_KILL,    /* the slot's process group; it answers with a death */
    PT_OUT_SPOOL,   /* payload is a large result: to be kept outside; answered with SPOOLED */
    PT_OUT_UNSPOOL, /* what was kept of that job and attempt is no longer needed */
    PT_OUT_CHUNK,   /* head and `bytes` from `offset` on of what is kept to the job socket */
    PT_OUT_CONNECT, /* close both sockets, open new ones to the broker of that number */
    PT_OUT_LOG,     /* text for people */
    PT_OUT_EXIT
} pt_output_kind_t;

typedef struct {
    pt_output_kind_t kind;
    size_t slot, broker;
    bool warning; /* of a LOG or CONNECT */
    char topic[PT_TOPIC_MAX];
    size_t topic_size;
    void *head, *payload; /* owned; NULL if there is none */
    size_t head_size, payload_size;
    char text[PT_TEXT_MAX + 1]; /* of LOG and CONNECT */
    pt_uuid_t job_id;           /* of SPOOL, UNSPOOL and CHUNK */
    uint32_t attempt;
    uint64_t offset, bytes;
} pt_output_t;

typedef struct {
    pt_output_t *items; /* owned */
    size_t count, room;
} pt_outputs_t;

/* Forgets all of them and keeps the room. */
void pt_outputs_reset(pt_outputs_t *self);
void pt_outputs_clear(pt_outputs_t *self);

/* Each copies what it is given, if nothing else is said. */
void pt_outputs_send(pt_outputs_t *self, const pt_msg_t *msg);
void pt_outputs_publish(pt_outputs_t *self, const pt_msg_t *msg);
void pt_outputs_publish_with(pt_outputs_t *self, const pt_msg_t *msg, const void *payload,
                             size_t size);
void pt_outputs_publish_bytes(pt_outputs_t *self, const char *topic, size_t topic_size,
                              const void *head, size_t head_size, const void *payload,
                              size_t payload_size);
/* Takes `job`, which was malloc'ed. */
void pt_outputs_start(pt_outputs_t *self, size_t slot, void *job, size_t size);
void pt_outputs_kill(pt_outputs_t *self, size_t slot);
/* Takes `result`, which was malloc'ed. */
void pt_outputs_spool(pt_outputs_t *self, const pt_uuid_t *job_id, uint32_t attempt, void *result,
                      size_t size);
void pt_outputs_unspool(pt_outputs_t *self, const pt_uuid_t *job_id, uint32_t attempt);
/* `msg` is a chunk; its payload is what is kept, from msg->offset on. */
void pt_outputs_chunk(pt_outputs_t *self, const pt_msg_t *msg, size_t bytes);
void pt_outputs_connect(pt_outputs_t *self, size_t broker, bool warning, const char *why);
void pt_outputs_exit(pt_outputs_t *self);
__attribute__((format(printf, 3, 4))) void pt_outputs_log(pt_outputs_t *self, bool warning,
                                                          const char *format, ...);

#endif
