/* Records what workers say: facts wait in a bounded queue, and everything that waits becomes one
 * transaction by the rules of fold.h. Only the leader's recorder works; two at once would do no
 * harm, because rows are locked before they are judged.
 */
#ifndef PT_RECORDER_H
#define PT_RECORDER_H

#include "gateway/links/links.h"
#include "gateway/submit/committer.h"

typedef struct pt_recorder pt_recorder_t;

/* Told that jobs which were out have ended or wait again; called in the recorder's thread. */
typedef void pt_ended_fn(void *context);

/* Starts the thread. `links` is borrowed. */
pt_recorder_t *pt_recorder_new(const char *uri, pt_links_t *links, pt_waits_fn *waits,
                               pt_ended_fn *ended, void *context);
void pt_recorder_destroy(pt_recorder_t **self);

/* Off: what waits is dropped, for the next leader hears it again. */
void pt_recorder_set_active(pt_recorder_t *self, bool active);

/* The settings of job types may be others: they are read again before the next batch. */
void pt_recorder_settings(pt_recorder_t *self);

/* Takes the fact (and its payload). Dropped (false) when the queue is full or the recorder not
   active: the worker says an ending again, and a loss is found again by the next rounds. */
bool pt_recorder_take(pt_recorder_t *self, pt_fact_t *fact);

/* From now on `done` is called, in the recorder's thread, for each fact that was taken and is dealt
   with, however. What is dropped when the recorder is set off is not told. */
typedef void pt_recorded_fn(void *context, const pt_fact_t *fact);
void pt_recorder_on_done(pt_recorder_t *self, pt_recorded_fn *done, void *context);

typedef struct {
    uint64_t queue, recorded, stale, overtaken, refused, batches;
    /* stale: of an ended job or another attempt; overtaken: said before, or said anew meanwhile */
} pt_recorder_counts_t;
pt_recorder_counts_t pt_recorder_counts(pt_recorder_t *self);

#endif
