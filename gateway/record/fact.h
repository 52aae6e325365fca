/* What a worker says of a job, as the recorder takes it: a status or a result, read from its
 * message. */
#ifndef PT_FACT_H
#define PT_FACT_H

#include "gateway/links/credit.h"
#include "gateway/record/fold.h"

#include <czmq.h>

/* A fact about a job, and where its answer goes. */
typedef struct {
    pt_said_fact_t said;
    pt_ticket_t from;
    pt_uuid_t org_id;
    char job_type[PT_TYPE_MAX];
    void *payload; /* the result, owned; NULL if there is none */
    size_t payload_size;
    uint64_t size; /* of a large result that its worker keeps, and its digest; else 0 */
    uint8_t digest[PT_DIGEST_SIZE];
} pt_fact_t;

/* Reads a status or result; `payload` may be NULL and is copied. False: it is neither, or of a type
   or status that nobody may say. */
bool pt_fact_read(pt_fact_t *self, const pt_ticket_t *from, const pt_msg_t *msg,
                  const zframe_t *payload);

#endif
