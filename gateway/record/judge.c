#include "gateway/record/judge.h"

static bool is_overtaken(const pt_fact_t *fact, const pt_fact_t *next)
{
    return next && fact->said.said == PT_SAID_PROGRESS && next->said.said == PT_SAID_PROGRESS &&
           pt_uuid_equal(&fact->said.job_id, &next->said.job_id);
}

/* What we say ourselves knows no organisation; what comes from a worker must fit the row. */
static bool fits(const pt_fact_t *fact, const pt_row_t *row)
{
    return pt_said_by_us(fact->said.said) || (pt_uuid_equal(&fact->org_id, &row->org_id) &&
                                              strcmp(fact->job_type, row->job_type) == 0);
}

pt_fate_t pt_judge(pt_row_t *row, const pt_fact_t *fact, const pt_fact_t *next, int64_t now,
                   const pt_patience_t *patience, pt_fold_t *fold)
{
    memset(fold, 0, sizeof *fold);
    if (!fits(fact, row))
        return PT_ITEM_MISFIT;
    bool current = fact->said.attempt == row->attempt && !pt_state_ended(row->state);
    if (!current || !is_overtaken(fact, next))
        *fold = pt_fold(row, &fact->said, now, patience);
    return PT_ITEM_JUDGED;
}

bool pt_judged_stale(pt_fate_t fate, const pt_fold_t *fold)
{
    return fate == PT_ITEM_UNKNOWN || fold->answer == PT_ANSWER_STALE ||
           fold->answer == PT_ANSWER_ENDED;
}

static pt_reply_t reply_to_ending(pt_fate_t fate, const pt_fold_t *fold, bool refused)
{
    if (fate == PT_ITEM_UNKNOWN)
        return (pt_reply_t){PT_SETTLED, "unknown"};
    if (refused && fold->answer == PT_ANSWER_COMMITTED)
        return (pt_reply_t){PT_SETTLED, "refused"};
    return (pt_reply_t){PT_SETTLED, pt_answer_outcome(fold->answer)};
}

/* Who speaks of another organisation's job is told nothing: the answer would reach, and stop, the
   one who really holds it. */
pt_reply_t pt_reply(pt_fate_t fate, const pt_said_fact_t *said, const pt_fold_t *fold, bool refused)
{
    bool judged = fate == PT_ITEM_UNKNOWN || fate == PT_ITEM_JUDGED;
    if (judged && said->unusable)
        return (pt_reply_t){PT_SETTLED, "superseded"};
    if (judged && said->said == PT_SAID_ENDING)
        return reply_to_ending(fate, fold, refused);
    if (judged && !pt_said_by_us(said->said) && pt_judged_stale(fate, fold))
        return (pt_reply_t){PT_STOP, NULL};
    return (pt_reply_t){PT_VERBS, NULL};
}
