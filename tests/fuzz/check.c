/* What the broker lets in, and what the recorder makes of it.
 * Bytes: 0 job sockets, 1 event path; the lengths of topic (1 byte) and header (2); both; the
 * payload. */
#include "broker/check.h"
#include "fuzz.h"
#include "gateway/record/fact.h"
#include "proto/topic.h"

static void check_fact(const pt_msg_t *msg, pt_bytes_t payload)
{
    pt_fact_t fact;
    pt_ticket_t from = {0};
    zframe_t *frame = payload.data ? zframe_new(payload.data, payload.size) : NULL;
    bool read = pt_fact_read(&fact, &from, msg, frame);
    CHECK(read == (msg->verb == PT_STATUS || msg->verb == PT_RESULT));
    if (read)
        free(fact.payload);
    zframe_destroy(&frame);
}

static void check_event(pt_bytes_t topic, pt_bytes_t header, pt_bytes_t payload)
{
    pt_msg_t msg;
    char own[PT_TOPIC_MAX];
    if (pt_check_event(&msg, topic, header, payload) != NULL)
        return;
    CHECK(msg.verb >= PT_STATUS && header.size <= PT_EVENT_HEADER_MAX);
    CHECK(pt_topic_format(own, &msg) == topic.size && memcmp(own, topic.data, topic.size) == 0);
    check_fact(&msg, payload);
    pt_msg_clear(&msg);
}

static void check_job(pt_bytes_t header, pt_bytes_t payload)
{
    pt_msg_t msg;
    if (pt_check_job(&msg, header, payload) != NULL)
        return;
    CHECK(msg.verb < PT_STATUS);
    CHECK(!payload.data || pt_verb_payload(msg.verb) != PT_PAYLOAD_NONE);
    pt_msg_clear(&msg);
}

static pt_bytes_t frame(reader_t *reader, size_t size)
{
    pt_bytes_t bytes = {.size = size};
    bytes.data = take(reader, &bytes.size);
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    bool event = next(&reader) & 1;
    size_t topic_size = next(&reader), header_size = next(&reader) + 256u * next(&reader);
    pt_bytes_t topic = frame(&reader, topic_size), header = frame(&reader, header_size);
    pt_bytes_t payload = frame(&reader, reader.left), none = {0};
    if (event)
        check_event(topic, header, payload.size ? payload : none);
    else
        check_job(header, payload.size ? payload : none);
    free((void *)(uintptr_t)topic.data);
    free((void *)(uintptr_t)header.data);
    free((void *)(uintptr_t)payload.data);
    return 0;
}
