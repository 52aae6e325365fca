/* What one fact does to its job's row, and what its sender is told, pure: the recorder's and the
 * simulation's.
 */
#ifndef PT_JUDGE_H
#define PT_JUDGE_H

#include "gateway/record/fact.h"

typedef enum {
    PT_ITEM_UNKNOWN, /* there is no such job */
    PT_ITEM_HELD,    /* its row is locked by somebody else: it will be said again */
    PT_ITEM_MISFIT,  /* the job is another organisation's or of another type: somebody lies */
    PT_ITEM_JUDGED   /* `fold` says what it did */
} pt_fate_t;

/* Applies the fact to the locked row. `next` is the fact behind it in the batch, or NULL: of
   several progress messages of one job only the last one is worth an event. */
pt_fate_t pt_judge(pt_row_t *row, const pt_fact_t *fact, const pt_fact_t *next, int64_t now,
                   const pt_patience_t *patience, pt_fold_t *fold);

/* Nothing became of it because the job has ended or is at another attempt. */
bool pt_judged_stale(pt_fate_t fate, const pt_fold_t *fold);

/* What the sender is told once that is committed: `verb` is PT_STOP, PT_SETTLED with `outcome`, or
   PT_VERBS for nothing. `refused`: the ending could not be stored as it was. */
typedef struct {
    pt_verb_t verb;
    const char *outcome;
} pt_reply_t;

pt_reply_t pt_reply(pt_fate_t fate, const pt_said_fact_t *said, const pt_fold_t *fold,
                    bool refused);

#endif
