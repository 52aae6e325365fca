/* Headers and payloads of the wire. What is read is written again, and then reads the same.
 * Bytes: 2 of the header's length, the header, the payload. */
#include "proto/message.h"
#include "fuzz.h"

static bool same_refs(pt_refs_t *one, pt_refs_t *other)
{
    bool same = one->count == other->count;
    for (size_t i = 0; same && i < one->count; i++)
        same = pt_uuid_equal(&one->items[i].job_id, &other->items[i].job_id) &&
               one->items[i].attempt == other->items[i].attempt &&
               strcmp(one->items[i].job_type, other->items[i].job_type) == 0;
    return same;
}

static void check_same(pt_msg_t *one, pt_msg_t *other)
{
    CHECK(same_refs(&one->leases, &other->leases));
    CHECK(same_refs(&one->unsettled, &other->unsettled));
    CHECK(same_refs(&one->jobs, &other->jobs));
    pt_msg_clear(one);
    pt_msg_clear(other);
    CHECK(memcmp(one, other, sizeof *one) == 0); /* both began as zeros */
}

static void check_text(const pt_msg_t *msg)
{
    const char *const texts[] = {msg->role, msg->machine, msg->status,  msg->outcome, msg->type,
                                 msg->step, msg->code,    msg->message, msg->reason,  msg->request};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK(pt_text_valid(texts[i], strlen(texts[i])));
    if (pt_msg_has(msg, PT_F_JOB_TYPE))
        CHECK(pt_job_type_valid(msg->job_type, strlen(msg->job_type)));
}

static void check_numbers(const pt_msg_t *msg)
{
    CHECK(msg->attempt <= INT32_MAX && msg->seq <= INT64_MAX && msg->offset <= INT64_MAX);
    CHECK(msg->fraction >= 0 && msg->fraction <= 1 && msg->at >= 0 && msg->started_at >= 0);
    CHECK(msg->priority < PT_PRIORITIES && msg->weight <= PT_WEIGHT_MAX);
    CHECK(msg->size <= PT_LARGE_MAX);
    CHECK(msg->slots.count <= PT_TYPES_MAX && msg->credit.count <= PT_TYPES_MAX);
    CHECK(msg->leases.count <= PT_REFS_MAX && msg->jobs.count <= PT_REFS_MAX);
}

static void check_round_trip(pt_msg_t *msg)
{
    msgpack_sbuffer out;
    pt_msg_t again;
    msgpack_sbuffer_init(&out);
    pt_msg_encode(msg, &out);
    CHECK(pt_msg_decode(&again, out.data, out.size) == NULL);
    check_same(msg, &again);
    msgpack_sbuffer_destroy(&out);
}

static void check_payload(const pt_msg_t *msg, const uint8_t *payload, size_t size)
{
    if (pt_msg_check_payload(msg, size ? payload : NULL, size) != NULL || size == 0)
        return;
    CHECK(pt_verb_payload(msg->verb) != PT_PAYLOAD_NONE);
    CHECK(size <= PT_CHUNK_MAX + 5 && pt_msgpack_valid(payload, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    size_t length = next(&reader) + 256u * next(&reader);
    uint8_t *header = take(&reader, &length);
    size_t rest = reader.left;
    uint8_t *payload = take(&reader, &rest);
    pt_msg_t msg;
    if (pt_msg_decode(&msg, header, length) == NULL) {
        check_text(&msg);
        check_numbers(&msg);
        check_payload(&msg, payload, rest);
        check_round_trip(&msg);
    }
    free(header);
    free(payload);
    return 0;
}
