/* Fetches large results for the recorder: the thread, the lock and the statements around
 * transfers.h. Only the leader's works.
 */
#ifndef PT_FETCHER_H
#define PT_FETCHER_H

#include "gateway/links/links.h"
#include "gateway/record/recorder.h"
#include "gateway/record/transfers.h"

typedef struct pt_fetcher pt_fetcher_t;

/* Starts the thread. All are borrowed. Results go to `large`, a recorder of their own, so that
   others need not wait for 64 MiB to be written; what needs no result goes to `recorder`. */
pt_fetcher_t *pt_fetcher_new(const char *uri, pt_links_t *links, pt_recorder_t *recorder,
                             pt_recorder_t *large);
/* Ends the thread: the recorders may go then, but their last words still come. */
void pt_fetcher_stop(pt_fetcher_t *self);
void pt_fetcher_destroy(pt_fetcher_t **self);

/* Off: everything is forgotten, for the next leader hears it again. */
void pt_fetcher_set_active(pt_fetcher_t *self, bool active);

/* From the links' thread: an ending with a large result, a piece of one, and that one is lost. */
void pt_fetcher_take(pt_fetcher_t *self, const pt_fact_t *ending);
void pt_fetcher_chunk(pt_fetcher_t *self, const pt_msg_t *chunk, const void *payload, size_t size);
void pt_fetcher_gone(pt_fetcher_t *self, const pt_uuid_t *job_id, uint32_t attempt);

typedef struct {
    size_t waiting, running; /* as in transfers.h */
    size_t bytes;
    uint64_t recorded; /* endings with a large result that were written, or written as lost */
} pt_fetcher_counts_t;
pt_fetcher_counts_t pt_fetcher_counts(pt_fetcher_t *self);

#endif
