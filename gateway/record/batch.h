/* One batch of facts, from the locked rows to the parameters of the statements that write it. No
 * connection in here: the recorder runs the statements.
 */
#ifndef PT_BATCH_H
#define PT_BATCH_H

#include "gateway/database/array.h"
#include "gateway/links/links.h"
#include "gateway/record/judge.h"
#include "gateway/results/render.h"
#include "gateway/store/move.h"

/* Payloads of a batch in all, but for one that is larger and alone; and how many of them can be
   larger than what rides in a message. */
#define PT_BATCH_BYTES (8 * 1024 * 1024)
#define PT_BATCH_LARGE_MAX (PT_BATCH_BYTES / PT_PAYLOAD_MAX + 1)

/* A fact in the batch, and what became of it. */
typedef struct {
    pt_fact_t fact;
    pt_rendered_t result;
    const char *refusal; /* why the result is not acceptable */
    pt_fate_t fate;
    pt_fold_t fold;
    pt_row_t *row; /* of its job */
    uint64_t seq;  /* of its event, once written */
} pt_item_t;

typedef struct {
    pt_item_t *items; /* sorted by job, arrivals in order; borrowed */
    size_t count;
    pt_row_t *rows;
    size_t row_count;
    /* Parameters: ids to lock; rows, results and events to write. */
    pt_array_t ids, update[13], results[4], events[8];
    size_t changed, result_count, event_count;
    const pt_item_t *large[PT_BATCH_LARGE_MAX]; /* whose results are written one by one */
    size_t large_count;
} pt_batch_t;

/* Sorts the items by job and renders results, refusing those that are not acceptable. */
void pt_batch_init(pt_batch_t *self, pt_item_t *items, size_t count);
void pt_batch_clear(pt_batch_t *self);

/* Makes the ending one that fails its job, because its result cannot be stored. */
void pt_item_refuse(pt_item_t *item, const char *why);

/* Reads the rows that pt_sql_lock_jobs gave, applies every fact, and fills the parameters. */
void pt_batch_fold(pt_batch_t *self, const PGresult *rows, const pt_patiences_t *patiences);

/* Reads the numbers that pt_sql_append_events gave. */
void pt_batch_number(pt_batch_t *self, const PGresult *numbers);

#endif
