/* A message of the job sockets from a few bytes: of few jobs, types and organisations, so that what
 * is said now has to do with what was said before. */
#ifndef FUZZ_SAYING_H
#define FUZZ_SAYING_H

#include "fuzz.h"
#include "proto/chunks.h"

#define JOBS 8
#define TYPES 2
#define INSTANCES 4

static inline pt_uuid_t id_of(unsigned n)
{
    pt_uuid_t id = {{0}};
    id.bytes[PT_UUID_SIZE - 1] = (uint8_t)n;
    return id;
}

static inline const char *type_of(unsigned n)
{
    static const char *const types[TYPES] = {"humanization", "structure"};
    return types[n];
}

/* The jobs whose bit is set. */
static inline void say_refs(reader_t *reader, pt_msg_t *msg, pt_field_t field)
{
    unsigned jobs = next(reader), attempt = 1 + below(reader, 3);
    pt_msg_set(msg, field);
    for (unsigned job = 0; job < JOBS; job++)
        if (jobs >> job & 1) {
            pt_uuid_t id = id_of(job);
            pt_msg_add_ref(msg, field, &id, attempt, type_of(job % TYPES));
        }
}

static inline void say_counts(reader_t *reader, pt_counts_t *counts)
{
    for (unsigned type = 0; type < TYPES; type++)
        pt_counts_set(counts, type_of(type), below(reader, 6));
}

/* The only large inputs that there are: {"x": bytes}, two chunks, the second of one byte. */
#define LARGE (PT_CHUNK_MAX + 1)

static inline const uint8_t *large_inputs(void)
{
    static const uint8_t head[] = {
        0x81, 0xa1, 'x', 0xc6, 0, 0, (LARGE - 8) >> 8, (LARGE - 8) & 255};
    static uint8_t inputs[LARGE];
    memcpy(inputs, head, sizeof head);
    return inputs;
}

static inline const uint8_t *large_digest(void)
{
    static uint8_t digest[PT_DIGEST_SIZE];
    if (digest[0] == 0) /* the first time */
        pt_digest(large_inputs(), LARGE, digest);
    return digest;
}

/* Their chunk at that offset, as the wire has it: a bin. */
static inline const uint8_t *large_chunk(uint64_t offset, size_t *size)
{
    static uint8_t payload[5 + PT_CHUNK_MAX] = {0xc6};
    size_t bytes = offset == 0 ? PT_CHUNK_MAX : 1;
    for (size_t i = 0; i < 4; i++)
        payload[1 + i] = (uint8_t)(bytes >> (24 - 8 * i));
    memcpy(payload + 5, large_inputs() + offset, bytes);
    *size = 5 + bytes;
    return payload;
}

static inline void say_job(reader_t *reader, pt_msg_t *msg)
{
    unsigned job = below(reader, JOBS), optional = next(reader);
    msg->job_id = id_of(job);
    msg->org_id = id_of(100 + below(reader, 3));
    msg->attempt = 1 + below(reader, 3);
    pt_msg_set_text(msg, PT_F_JOB_TYPE, type_of(job % TYPES));
    msg->priority = below(reader, PT_PRIORITIES);
    msg->weight = 1 + below(reader, 4);
    msg->size = LARGE;
    memcpy(msg->digest, large_digest(), PT_DIGEST_SIZE);
    msg->offset = optional & 64 ? PT_CHUNK_MAX : 0;
    msg->certain = optional & 1;
    msg->handed_back = optional & 2;
    if (optional & 4)
        pt_msg_set(msg, PT_F_HANDED_BACK);
    if (optional & 8)
        msg->has |= (uint64_t)1 << PT_F_PRIORITY | (uint64_t)1 << PT_F_WEIGHT;
    if (optional & 16 || msg->verb == PT_CHUNK)
        msg->has |= (uint64_t)1 << PT_F_SIZE | (uint64_t)1 << PT_F_DIGEST;
    pt_msg_set_text(msg, PT_F_OUTCOME, optional & 32 ? "committed" : "refused");
    msg->has |= (uint64_t)1 << PT_F_JOB_ID | (uint64_t)1 << PT_F_ORG_ID |
                (uint64_t)1 << PT_F_ATTEMPT | (uint64_t)1 << PT_F_CERTAIN |
                (uint64_t)1 << PT_F_OFFSET;
}

static inline void say_hello(reader_t *reader, pt_msg_t *msg, const char *role)
{
    char machine[8];
    snprintf(machine, sizeof machine, "m%u", below(reader, INSTANCES));
    pt_msg_set_text(msg, PT_F_ROLE, role);
    pt_msg_set_text(msg, PT_F_MACHINE, machine);
    msg->instance = id_of(200 + below(reader, INSTANCES));
    say_counts(reader, &msg->slots);
    say_refs(reader, msg, PT_F_LEASES);
    say_refs(reader, msg, PT_F_UNSETTLED);
    msg->has |= (uint64_t)1 << PT_F_INSTANCE | (uint64_t)1 << PT_F_SLOTS;
}

/* Everything that the verb must carry, and some of what it may; to be cleared. */
static inline void say(reader_t *reader, pt_msg_t *msg, const char *role,
                       const uint8_t session[PT_SESSION_SIZE])
{
    pt_msg_init(msg, (pt_verb_t)below(reader, PT_BYE + 1));
    memcpy(msg->session, session, PT_SESSION_SIZE);
    pt_msg_set(msg, PT_F_SESSION);
    if (msg->verb == PT_HELLO || msg->verb == PT_WELCOME)
        say_hello(reader, msg, role);
    if (msg->verb == PT_CREDIT)
        say_counts(reader, &msg->credit);
    if (msg->verb == PT_HAVE)
        say_refs(reader, msg, PT_F_JOBS);
    if (msg->verb == PT_BEAT)
        msg->leader = below(reader, 2);
    if (msg->verb != PT_HELLO && msg->verb != PT_BEAT)
        say_job(reader, msg);
    msg->max = PT_FRAME_MAX;
    msg->interval = PT_INTERVAL_MS;
    msg->has |= (uint64_t)1 << PT_F_CREDIT | (uint64_t)1 << PT_F_ROUND | (uint64_t)1 << PT_F_MAX |
                (uint64_t)1 << PT_F_INTERVAL | (uint64_t)1 << PT_F_LEADER;
}

/* The payload that the message has, if it is one that needs one; both NULL and 0 if not. */
static inline const uint8_t *payload_of(const pt_msg_t *msg, size_t *size)
{
    static const uint8_t inputs[] = {0x80};
    bool job = msg->verb == PT_JOB && !pt_msg_has(msg, PT_F_SIZE);
    if (msg->verb == PT_CHUNK)
        return large_chunk(msg->offset, size);
    *size = job ? sizeof inputs : 0;
    return job ? inputs : NULL;
}

/* As it comes off the wire; false if it is none. Clears the former. */
static inline bool over_the_wire(pt_msg_t *msg, pt_msg_t *read)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    pt_msg_encode(msg, &out);
    pt_msg_clear(msg);
    const char *why = pt_msg_decode(read, out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    return why == NULL;
}

#endif
