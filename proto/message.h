/* The messages of PROTOCOL.md: one struct for every header, one table of who carries what.
 *
 * A header is a msgpack map; the payload of job, result and declare is a frame of its own and never
 * passes through here. Decoding copies, so a pt_msg_t outlives the frame that it came from.
 */
#ifndef PT_MESSAGE_H
#define PT_MESSAGE_H

#include "proto/uuid.h"
#include "proto/wire.h"

#include <msgpack.h>

typedef enum {
    PT_HELLO,
    PT_WELCOME,
    PT_HELLO_AGAIN, /* hello? */
    PT_JOB,
    PT_CREDIT,
    PT_BEAT,
    PT_STOP,
    PT_SETTLED,
    PT_HAVE, /* have? */
    PT_GONE,
    PT_FETCH,
    PT_CHUNK,
    PT_BYE,
    PT_STATUS,
    PT_RESULT,
    PT_LOG,
    PT_ALIVE,
    PT_DECLARE,
    PT_EVENT,
    PT_EDGE,
    PT_VERBS
} pt_verb_t;

typedef enum {
    PT_F_SESSION,
    PT_F_ROLE,
    PT_F_MACHINE,
    PT_F_INSTANCE,
    PT_F_SLOTS,
    PT_F_LEASES,
    PT_F_UNSETTLED,
    PT_F_MAX,
    PT_F_INTERVAL,
    PT_F_JOB_ID,
    PT_F_ORG_ID,
    PT_F_JOB_TYPE,
    PT_F_ATTEMPT,
    PT_F_STATUS,
    PT_F_AT,
    PT_F_STARTED_AT,
    PT_F_CREDIT,
    PT_F_LEADER,
    PT_F_OUTCOME,
    PT_F_REASON,
    PT_F_ROUND,
    PT_F_JOBS,
    PT_F_CERTAIN,
    PT_F_HANDED_BACK,
    PT_F_WAITING,
    PT_F_TYPE,
    PT_F_STEP,
    PT_F_FRACTION,
    PT_F_CODE,
    PT_F_MESSAGE,
    PT_F_RETRY,
    PT_F_SEQ,
    PT_F_TIMELINE,
    PT_F_PRIORITY,
    PT_F_WEIGHT,
    PT_F_SIZE,
    PT_F_DIGEST,
    PT_F_OFFSET,
    PT_F_VARIANT_ID,
    PT_F_REQUEST,
    PT_FIELDS
} pt_field_t;

#define PT_SESSION_SIZE 8
#define PT_DIGEST_SIZE 32 /* SHA-256 */

/* A job as leases, unsettled and have? name it. */
typedef struct {
    pt_uuid_t job_id;
    uint32_t attempt;
    char job_type[PT_TYPE_MAX];
} pt_ref_t;

typedef struct {
    pt_ref_t *items; /* owned */
    size_t count;
} pt_refs_t;

/* A number for each of some job types: slots, credit. */
typedef struct {
    struct {
        char job_type[PT_TYPE_MAX];
        uint64_t n;
    } items[PT_TYPES_MAX];
    size_t count;
} pt_counts_t;

typedef struct {
    pt_verb_t verb;
    uint64_t has; /* bit 1 << PT_F_… for each field that is there */
    uint8_t session[PT_SESSION_SIZE];
    char role[16]; /* gateway, worker */
    char machine[PT_NAME_MAX];
    pt_uuid_t instance, job_id, org_id, variant_id;
    char job_type[PT_TYPE_MAX];
    uint32_t attempt;
    char status[16];
    int64_t at, started_at; /* microseconds since 1970, UTC */
    bool leader, certain, handed_back, waiting, retry;
    char outcome[16]; /* committed, ended, superseded, unknown, refused */
    char type[16];    /* of a status or event: started, progress, completed, … */
    char step[PT_NAME_MAX];
    double fraction; /* 0 to 1 */
    char code[PT_NAME_MAX];
    char message[PT_TEXT_MAX + 1];
    char reason[PT_TEXT_MAX + 1];
    char request[PT_NAME_MAX]; /* of an event: X-Request-Id of the submission */
    uint64_t seq, timeline, round, max, interval;
    uint64_t priority, weight;      /* of a job: see PT_PRIORITIES; turns of its organisation */
    uint64_t size, offset;          /* of a large payload, in bytes; of a chunk or log within it */
    uint8_t digest[PT_DIGEST_SIZE]; /* of a large payload */
    pt_counts_t slots, credit;
    pt_refs_t leases, unsettled, jobs;
} pt_msg_t;

/* An empty message of that verb; release it with pt_msg_clear. */
void pt_msg_init(pt_msg_t *self, pt_verb_t verb);
void pt_msg_clear(pt_msg_t *self);

/* Says that a field is set; encoding leaves out what is not said. */
void pt_msg_set(pt_msg_t *self, pt_field_t field);
bool pt_msg_has(const pt_msg_t *self, pt_field_t field);

/* Setters for the kinds that need care; text is cut at the field's size, at a whole character. */
void pt_msg_set_text(pt_msg_t *self, pt_field_t field, const char *text);
void pt_msg_add_ref(pt_msg_t *self, pt_field_t field, const pt_uuid_t *job_id, uint32_t attempt,
                    const char *job_type);
void pt_counts_set(pt_counts_t *self, const char *job_type, uint64_t n);
/* The number for the type, or 0. */
uint64_t pt_counts_get(const pt_counts_t *self, const char *job_type);

/* Reads one header. Returns NULL, or why it is none: not msgpack, wrong version, unknown verb, a
   field that is missing, doubled or of the wrong kind. Unknown keys are passed over. After a
   failure `self` needs no clearing. */
const char *pt_msg_decode(pt_msg_t *self, const void *data, size_t size);

/* Appends the header to `out`. Every field that the verb demands must be set (asserted). */
void pt_msg_encode(const pt_msg_t *self, msgpack_sbuffer *out);

/* The verb's word on the wire. */
const char *pt_verb_name(pt_verb_t verb);

/* Whether the verb has a payload frame: one msgpack object. */
typedef enum { PT_PAYLOAD_NONE, PT_PAYLOAD_ALWAYS, PT_PAYLOAD_MAYBE } pt_payload_t;
pt_payload_t pt_verb_payload(pt_verb_t verb);

/* Why the payload (NULL: none came) is not what PROTOCOL.md says for that message; NULL: it is.
   Looks at kind and size, reads each byte once, and allocates nothing. */
const char *pt_msg_check_payload(const pt_msg_t *self, const void *payload, size_t size);

#endif
