#include "proto/message_table.h"

#define FIELD(KEY, KIND, MEMBER)                                                                   \
    {                                                                                              \
        KEY, KIND, offsetof(pt_msg_t, MEMBER), sizeof(((pt_msg_t *)0)->MEMBER)                     \
    }

const pt_field_row_t pt_field_rows[PT_FIELDS] = {
    [PT_F_SESSION] = FIELD("session", BYTES, session),
    [PT_F_ROLE] = FIELD("role", TEXT, role),
    [PT_F_MACHINE] = FIELD("machine", TEXT, machine),
    [PT_F_INSTANCE] = FIELD("instance", BYTES, instance),
    [PT_F_SLOTS] = FIELD("slots", COUNTS, slots),
    [PT_F_LEASES] = FIELD("leases", REFS, leases),
    [PT_F_UNSETTLED] = FIELD("unsettled", REFS, unsettled),
    [PT_F_MAX] = FIELD("max", UINT64, max),
    [PT_F_INTERVAL] = FIELD("interval", UINT64, interval),
    [PT_F_JOB_ID] = FIELD("job_id", BYTES, job_id),
    [PT_F_ORG_ID] = FIELD("org_id", BYTES, org_id),
    [PT_F_JOB_TYPE] = FIELD("job_type", JOB_TYPE, job_type),
    [PT_F_ATTEMPT] = FIELD("attempt", UINT32, attempt),
    [PT_F_STATUS] = FIELD("status", TEXT, status),
    [PT_F_AT] = FIELD("at", TIME, at),
    [PT_F_STARTED_AT] = FIELD("started_at", TIME, started_at),
    [PT_F_CREDIT] = FIELD("credit", COUNTS, credit),
    [PT_F_LEADER] = FIELD("leader", BOOL, leader),
    [PT_F_OUTCOME] = FIELD("outcome", TEXT, outcome),
    [PT_F_REASON] = FIELD("reason", TEXT, reason),
    [PT_F_ROUND] = FIELD("round", UINT64, round),
    [PT_F_JOBS] = FIELD("jobs", REFS, jobs),
    [PT_F_CERTAIN] = FIELD("certain", BOOL, certain),
    [PT_F_HANDED_BACK] = FIELD("handed_back", BOOL, handed_back),
    [PT_F_WAITING] = FIELD("waiting", BOOL, waiting),
    [PT_F_TYPE] = FIELD("type", TEXT, type),
    [PT_F_STEP] = FIELD("step", TEXT, step),
    [PT_F_FRACTION] = FIELD("fraction", FRACTION, fraction),
    [PT_F_CODE] = FIELD("code", TEXT, code),
    [PT_F_MESSAGE] = FIELD("message", TEXT, message),
    [PT_F_RETRY] = FIELD("retry", BOOL, retry),
    [PT_F_SEQ] = FIELD("seq", UINT64, seq),
    [PT_F_TIMELINE] = FIELD("timeline", UINT64, timeline),
    [PT_F_PRIORITY] = FIELD("priority", PRIORITY, priority),
    [PT_F_WEIGHT] = FIELD("weight", WEIGHT, weight),
    [PT_F_SIZE] = FIELD("size", LARGE, size),
    [PT_F_DIGEST] = FIELD("digest", BYTES, digest),
    [PT_F_OFFSET] = FIELD("offset", UINT64, offset),
    [PT_F_VARIANT_ID] = FIELD("variant_id", BYTES, variant_id),
    [PT_F_REQUEST] = FIELD("request", TEXT, request),
};

#define B(FIELD) ((uint64_t)1 << PT_F_##FIELD)
#define A_JOB (B(SESSION) | B(JOB_ID) | B(ATTEMPT))
#define A_TOPIC (B(JOB_ID) | B(ORG_ID) | B(JOB_TYPE) | B(ATTEMPT) | B(STATUS) | B(AT))

const pt_verb_row_t pt_verb_rows[PT_VERBS] = {
    [PT_HELLO] = {"hello", B(ROLE) | B(MACHINE) | B(INSTANCE), B(SLOTS) | B(LEASES) | B(UNSETTLED),
                  PT_PAYLOAD_NONE},
    [PT_WELCOME] = {"welcome", B(SESSION) | B(INSTANCE) | B(MAX) | B(INTERVAL), 0, PT_PAYLOAD_NONE},
    [PT_HELLO_AGAIN] = {"hello?", 0, B(REASON), PT_PAYLOAD_NONE},
    [PT_JOB] = {"job", A_JOB | B(ORG_ID) | B(JOB_TYPE),
                B(PRIORITY) | B(WEIGHT) | B(SIZE) | B(DIGEST), PT_PAYLOAD_MAYBE},
    [PT_CREDIT] = {"credit", B(SESSION) | B(CREDIT), 0, PT_PAYLOAD_NONE},
    [PT_BEAT] = {"beat", B(SESSION), B(LEADER) | B(SLOTS), PT_PAYLOAD_NONE},
    [PT_STOP] = {"stop", A_JOB, 0, PT_PAYLOAD_NONE},
    [PT_SETTLED] = {"settled", A_JOB | B(OUTCOME), B(REASON), PT_PAYLOAD_NONE},
    [PT_HAVE] = {"have?", B(SESSION) | B(ROUND) | B(JOBS), 0, PT_PAYLOAD_NONE},
    [PT_GONE] = {"gone", A_JOB | B(CERTAIN), B(HANDED_BACK) | B(REASON), PT_PAYLOAD_NONE},
    [PT_FETCH] = {"fetch", A_JOB | B(OFFSET), 0, PT_PAYLOAD_NONE},
    [PT_CHUNK] = {"chunk", A_JOB | B(OFFSET), 0, PT_PAYLOAD_ALWAYS},
    [PT_BYE] = {"bye", B(SESSION), B(REASON), PT_PAYLOAD_NONE},
    [PT_STATUS] = {"status", A_TOPIC | B(TYPE), B(STEP) | B(FRACTION), PT_PAYLOAD_NONE},
    [PT_RESULT] = {"result", A_TOPIC | B(STARTED_AT),
                   B(CODE) | B(MESSAGE) | B(RETRY) | B(SIZE) | B(DIGEST), PT_PAYLOAD_MAYBE},
    [PT_LOG] = {"log", B(JOB_ID) | B(ORG_ID) | B(JOB_TYPE) | B(ATTEMPT) | B(AT) | B(OFFSET), 0,
                PT_PAYLOAD_ALWAYS},
    [PT_ALIVE] = {"alive", B(INSTANCE), 0, PT_PAYLOAD_NONE},
    [PT_DECLARE] = {"declare", B(INSTANCE) | B(JOB_TYPE), B(MACHINE), PT_PAYLOAD_ALWAYS},
    [PT_EVENT] = {"event", A_TOPIC | B(TYPE) | B(SEQ) | B(TIMELINE),
                  B(WAITING) | B(STEP) | B(FRACTION) | B(CODE) | B(MESSAGE) | B(VARIANT_ID) |
                      B(REQUEST),
                  PT_PAYLOAD_NONE},
    [PT_EDGE] = {"edge", B(ORG_ID) | B(SEQ) | B(TIMELINE), 0, PT_PAYLOAD_NONE},
};

const char *pt_verb_name(pt_verb_t verb)
{
    return pt_verb_rows[verb].name;
}

pt_payload_t pt_verb_payload(pt_verb_t verb)
{
    return pt_verb_rows[verb].payload;
}
