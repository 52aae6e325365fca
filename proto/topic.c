#include "proto/topic.h"

#include <stdio.h>
#include <string.h>

size_t pt_topic_format(char topic[PT_TOPIC_MAX], const pt_msg_t *msg)
{
    char org[PT_UUID_TEXT], job[PT_UUID_TEXT];
    int size = 0;
    switch (msg->verb) {
    case PT_STATUS:
    case PT_RESULT:
    case PT_LOG:
    case PT_EVENT:
        size = snprintf(topic, PT_TOPIC_MAX, "%s.%s.%s.%s.", pt_verb_name(msg->verb),
                        pt_uuid_format(&msg->org_id, org), msg->job_type,
                        pt_uuid_format(&msg->job_id, job));
        break;
    case PT_ALIVE:
        size = snprintf(topic, PT_TOPIC_MAX, "alive.%s.", pt_uuid_format(&msg->instance, job));
        break;
    case PT_DECLARE:
        size = snprintf(topic, PT_TOPIC_MAX, "declare.%s.", msg->job_type);
        break;
    case PT_EDGE:
        size = snprintf(topic, PT_TOPIC_MAX, "edge.%s.", pt_uuid_format(&msg->org_id, org));
        break;
    default:
        break;
    }
    return size > 0 && size < PT_TOPIC_MAX ? (size_t)size : 0;
}

bool pt_topic_matches(const void *topic, size_t size, const pt_msg_t *msg)
{
    char own[PT_TOPIC_MAX];
    return size > 0 && pt_topic_format(own, msg) == size && memcmp(own, topic, size) == 0;
}
