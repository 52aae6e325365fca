/* A request for a batch, read from a body of JSON or FASTA and checked, with every fault named. */
#ifndef PT_ASK_BATCH_H
#define PT_ASK_BATCH_H

#include "gateway/http/http.h"
#include "gateway/submit/batcher.h"

#define PT_BATCH_OPTIONS_MAX 8192 /* bytes of options as JSON: each job has them */

typedef struct pt_asked_batch pt_asked_batch_t;

/* NULL: the answer is a problem. What it says of variants is still to be checked against the table.
 */
pt_asked_batch_t *pt_ask_batch(const pt_http_t *http, const pt_request_t *request,
                               pt_response_t *response);
void pt_asked_batch_destroy(pt_asked_batch_t **self);

/* What is asked for; borrowed. */
const pt_new_batch_t *pt_asked_batch(const pt_asked_batch_t *self);

#endif
