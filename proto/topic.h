/* Topics of the event path: text that ends in a dot, so that a subscription to one job type does
   not also match a longer one. */
#ifndef PT_TOPIC_H
#define PT_TOPIC_H

#include "proto/message.h"

/* "status." + org + "." + job type + "." + job + "." and the NUL */
#define PT_TOPIC_MAX (8 + 37 + PT_TYPE_MAX + 37 + 1)

/* Writes the topic under which this header (status, result, log, alive, declare, event or edge)
   travels; returns its length, or 0 for a verb that has no topic. */
size_t pt_topic_format(char topic[PT_TOPIC_MAX], const pt_msg_t *msg);

/* Whether the topic is the header's own. */
bool pt_topic_matches(const void *topic, size_t size, const pt_msg_t *msg);

#endif
