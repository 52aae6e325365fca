#include "gateway/record/fold.h"

#include <stdio.h>
#include <string.h>

#define LOSS_BACKOFF_MAX_US 60000000

static pt_fact_kind_t kind_of_ending(const pt_row_t *row, const pt_said_fact_t *fact,
                                     const pt_patience_t *patience)
{
    if (fact->refused)
        return PT_FACT_FAILED;
    if (fact->completed)
        return PT_FACT_COMPLETED;
    return fact->retry && row->tries + 1 < patience->max_tries ? PT_FACT_RETRY : PT_FACT_FAILED;
}

/* The word of the state table for what was said. */
static pt_fact_kind_t kind_of(const pt_row_t *row, const pt_said_fact_t *fact,
                              const pt_patience_t *patience)
{
    switch (fact->said) {
    case PT_SAID_STARTED:
        return PT_FACT_STARTED;
    case PT_SAID_PROGRESS:
        return PT_FACT_PROGRESS;
    case PT_SAID_ENDING:
        return kind_of_ending(row, fact, patience);
    case PT_SAID_EXPIRED:
        return PT_FACT_EXPIRED;
    default: /* a job that wears out worker after worker fails in the end */
        return row->state == PT_RUNNING && fact->counts && row->losses + 1 >= patience->max_losses
                   ? PT_FACT_FAILED
                   : PT_FACT_LOST;
    }
}

/* `high` may be below `low` when the database's own clock went back: then `low` it is. */
static int64_t between(int64_t low, int64_t at, int64_t high)
{
    if (high < low)
        return low;
    return at < low ? low : at > high ? high : at;
}

static void start(pt_row_t *row, int64_t at, int64_t now)
{
    if (row->started_at == 0)
        row->started_at = between(row->created_at, at, now);
}

static void progress(pt_row_t *row, const pt_said_fact_t *fact)
{
    strcpy(row->step, fact->step);
    row->fraction = fact->fraction;
}

/* The reason that the client reads: the last one, and how often it was tried if that was more than
   once. */
static void reason(pt_row_t *row, const pt_said_fact_t *fact)
{
    char times[48] = "";
    if (fact->said == PT_SAID_LOST)
        snprintf(times, sizeof times, " (its worker was lost %u times)", row->losses);
    else if (row->tries > 1)
        snprintf(times, sizeof times, " (tried %u times)", row->tries);
    strcpy(row->code, fact->code);
    int room = (int)(sizeof row->message - strlen(times) - 1);
    while (room > 0 && !pt_text_valid(fact->message, strnlen(fact->message, (size_t)room)))
        room--;
    snprintf(row->message, sizeof row->message, "%.*s%s", room, fact->message, times);
}

/* The next attempt is due. */
static void wait_again(pt_row_t *row, int64_t due_in_us)
{
    row->attempt++;
    row->due_in_us = due_in_us;
    row->step[0] = 0;
    row->fraction = -1;
}

static int64_t loss_backoff(uint32_t losses)
{
    int64_t backoff = 1000000;
    while (--losses > 0 && backoff < LOSS_BACKOFF_MAX_US)
        backoff *= 2;
    return backoff < LOSS_BACKOFF_MAX_US ? backoff : LOSS_BACKOFF_MAX_US;
}

static void lose(pt_row_t *row, const pt_said_fact_t *fact)
{
    bool counts = row->state == PT_RUNNING && fact->counts;
    row->losses += counts;
    wait_again(row, counts ? loss_backoff(row->losses) : 0);
}

static void end(pt_row_t *row, int64_t at, int64_t now)
{
    if (row->started_at == 0)
        row->started_at = between(row->created_at, at, now);
    row->completed_at = between(row->started_at, at, now);
}

static void fail(pt_row_t *row, const pt_said_fact_t *fact, int64_t now)
{
    if (fact->said == PT_SAID_LOST)
        row->losses++;
    else
        row->tries++;
    reason(row, fact);
    end(row, fact->said == PT_SAID_LOST ? now : fact->at, now);
}

/* It may never have been started, and then it never was. */
static void expire(pt_row_t *row, const pt_said_fact_t *fact, int64_t now)
{
    reason(row, fact);
    row->completed_at = between(row->started_at ? row->started_at : row->created_at, now, now);
}

static void apply(pt_row_t *row, pt_fact_kind_t kind, const pt_said_fact_t *fact, int64_t now,
                  const pt_patience_t *patience)
{
    if (fact->said == PT_SAID_ENDING)
        start(row, fact->started_at, now);
    switch (kind) {
    case PT_FACT_STARTED:
        start(row, fact->at, now);
        break;
    case PT_FACT_PROGRESS:
        start(row, fact->at, now);
        progress(row, fact);
        break;
    case PT_FACT_COMPLETED:
        row->fraction = 1;
        end(row, fact->at, now);
        break;
    case PT_FACT_FAILED:
        fail(row, fact, now);
        break;
    case PT_FACT_RETRY:
        row->tries++;
        wait_again(row, pt_patience_backoff(patience, &row->job_id, row->tries));
        break;
    case PT_FACT_LOST:
        lose(row, fact);
        break;
    case PT_FACT_EXPIRED:
        expire(row, fact, now);
        break;
    default:
        break;
    }
}

static int64_t time_of(const pt_row_t *row, const pt_said_fact_t *fact, int64_t now)
{
    if (pt_state_ended(row->state))
        return row->completed_at;
    return between(row->created_at, pt_said_by_us(fact->said) ? now : fact->at, now);
}

/* What was lost before anybody said that it runs may never have been at a worker: no worker is to
   blame for it. */
static const char *code_of(const pt_said_fact_t *fact, bool ran)
{
    bool blames = fact->said == PT_SAID_LOST && fact->counts && !fact->unusable;
    return blames && !ran ? PT_CODE_NOT_STARTED : fact->code;
}

/* `attempt` is the one that the event tells of, not the next; `ran`: it was known to run. */
static pt_event_t event_of(const pt_row_t *row, const pt_said_fact_t *fact, const char *type,
                           bool ran, int64_t now)
{
    pt_event_t event = {.type = type,
                        .status = pt_state_status(row->state),
                        .attempt = fact->attempt,
                        .at = time_of(row, fact, now)};
    if (fact->said == PT_SAID_PROGRESS) {
        event.has_progress = true;
        strcpy(event.step, fact->step);
        event.fraction = fact->fraction;
    }
    if (row->state == PT_FAILED || row->state == PT_WAITING) {
        event.has_reason = true;
        strcpy(event.code, code_of(fact, ran));
        strcpy(event.message, row->state == PT_FAILED ? row->message : fact->message);
    }
    return event;
}

/* A worker repeats the latest status of each lease after every hello. */
static bool is_repeated(const pt_row_t *row, const pt_said_fact_t *fact)
{
    return fact->said == PT_SAID_PROGRESS && row->state == PT_RUNNING &&
           strcmp(row->step, fact->step) == 0 && fact->fraction <= row->fraction;
}

pt_fold_t pt_fold(pt_row_t *row, const pt_said_fact_t *fact, int64_t now,
                  const pt_patience_t *patience)
{
    pt_fold_t fold = {.answer = PT_ANSWER_STALE};
    if (pt_state_ended(row->state)) {
        fold.answer = PT_ANSWER_ENDED;
        return fold;
    }
    if (fact->attempt != row->attempt)
        return fold;
    pt_fact_kind_t kind = kind_of(row, fact, patience);
    pt_transition_t transition = pt_job_transition(row->state, kind);
    fold.answer = transition.answer;
    if (!transition.event || is_repeated(row, fact))
        return fold;
    fold.changed = true;
    fold.took_result = kind == PT_FACT_COMPLETED;
    bool ran = row->state == PT_RUNNING;
    apply(row, kind, fact, now, patience);
    row->state = transition.next;
    fold.event = event_of(row, fact, transition.event, ran, now);
    return fold;
}
