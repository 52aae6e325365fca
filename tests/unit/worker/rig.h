/* An agent with a clock in the hand, and what it wanted done, decoded. */
#ifndef RIG_H
#define RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "worker/agent.h"

#define SLOTS 3
#define TYPE "humanization"
#define RIG_OUTPUTS_MAX 4096

typedef struct {
    pt_output_kind_t kind;
    size_t slot, broker;
    pt_msg_t msg; /* of SEND, PUBLISH and CHUNK */
    uint8_t job;  /* of SPOOL, UNSPOOL and CHUNK: as rig_id numbers it */
    size_t payload_size, bytes;
    char payload[64]; /* the beginning */
    int64_t when;
} rig_output_t;

typedef struct {
    pt_agent_t *agent;
    pt_now_t now;
    rig_output_t *done; /* everything since the last rig_forget */
    size_t count;
    uint8_t session[PT_SESSION_SIZE];
} rig_t;

/* SLOTS slots of TYPE with a time-out of 60 s, two brokers; all slots ready, nothing said yet. */
void rig_open(rig_t *self);
void rig_open_slots(rig_t *self, size_t slots, size_t brokers);
/* With that grace for what runs at its shutdown, and already welcomed. */
void rig_open_grace(rig_t *self, int64_t grace_ms);
void rig_close(rig_t *self);
void rig_forget(rig_t *self);

/* As rig_open, but the type is declared by the configuration, and a second one, "declared_only",
   without slots. Both borrow `declared`. */
void rig_open_declared(rig_t *self, const void *declared, size_t size);

/* rig_open, and already welcomed; what was said until then is forgotten. */
void rig_open_session(rig_t *self);
/* And with a job, 1, at that attempt. */
void rig_open_job(rig_t *self, uint32_t attempt);

void rig_step(rig_t *self, const pt_input_t *input);
void rig_tick(rig_t *self);
/* Ticks whenever the agent asks for it, until `ms` have passed; every `beat_ms` (0: never) the
   broker beats. */
void rig_run(rig_t *self, int64_t ms, int64_t beat_ms);

/* What the broker and the pipelines do. */
void rig_welcome(rig_t *self, uint8_t session);
void rig_beat(rig_t *self);
void rig_job(rig_t *self, uint8_t job, uint32_t attempt);
void rig_job_of(rig_t *self, uint8_t job, uint32_t attempt, const char *job_type);
/* One whose inputs stay with the gateway: rig_large_inputs of that size. */
void rig_job_large(rig_t *self, uint8_t job, uint32_t attempt, size_t size);
uint8_t *rig_large_inputs(size_t size);
/* A piece of them; one byte is another if it is damaged. */
void rig_chunk(rig_t *self, uint8_t job, uint32_t attempt, size_t size, uint64_t offset,
               bool damaged);
void rig_stop(rig_t *self, uint8_t job, uint32_t attempt);
void rig_settle(rig_t *self, uint8_t job, uint32_t attempt, const char *outcome);
void rig_hello_again(rig_t *self, const char *reason);
void rig_bye(rig_t *self);
/* `bytes`: the whole message. */
void rig_declare(rig_t *self, size_t slot, const void *bytes, size_t size);
/* A failure whose pipeline had reached something: a map. */
void rig_error_with(rig_t *self, size_t slot, const char *code, const void *partial, size_t size);
/* A result with files, which is any object. */
void rig_result_with(rig_t *self, size_t slot, const void *files, size_t size);
void rig_progress(rig_t *self, size_t slot, const char *step, double fraction);
void rig_stderr(rig_t *self, size_t slot, const char *text);
void rig_result(rig_t *self, size_t slot, size_t size);
/* What was told to be kept is, with a digest of nines; or not, and why. */
void rig_spooled(rig_t *self, uint8_t job, uint32_t attempt, const char *why);
void rig_unreadable(rig_t *self, uint8_t job, uint32_t attempt, const char *why);
void rig_fetch(rig_t *self, uint8_t job, uint32_t attempt, uint64_t offset);
void rig_error(rig_t *self, size_t slot, const char *code, bool retry);
void rig_died(rig_t *self, size_t slot, pt_death_t death);
void rig_ready(rig_t *self, size_t slot);
void rig_shutdown(rig_t *self);

/* How many outputs of that kind, or messages of that verb, there were. */
size_t rig_count(const rig_t *self, pt_output_kind_t kind);
size_t rig_count_verb(const rig_t *self, pt_verb_t verb);
/* The n-th from 0; fails the test if there is none. */
const rig_output_t *rig_nth(const rig_t *self, pt_output_kind_t kind, size_t n);
const rig_output_t *rig_nth_verb(const rig_t *self, pt_verb_t verb, size_t n);
/* The last. */
const pt_msg_t *rig_last(const rig_t *self, pt_verb_t verb);
/* The result that was said; fails the test unless there is one alone. */
const pt_msg_t *rig_ending(const rig_t *self);
/* The last credit that was given, 0 if none. */
uint64_t rig_credit(const rig_t *self);

pt_uuid_t rig_id(uint8_t number);

#endif
