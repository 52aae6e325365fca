#include "gateway/submit/submissions.h"

#include "proto/program/process.h"

#include <assert.h>

static void free_spare(pt_submissions_t *self)
{
    for (pt_waiter_t *next, *waiter = self->spare; waiter; waiter = next) {
        next = waiter->next;
        pthread_cond_destroy(&waiter->done);
        free(waiter);
    }
}

void pt_submissions_init(pt_submissions_t *self)
{
    *self = (pt_submissions_t){.last = &self->first};
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
}

void pt_submissions_clear(pt_submissions_t *self)
{
    free_spare(self);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
}

static pt_waiter_t *take_waiter(pt_submissions_t *self)
{
    pt_waiter_t *waiter = self->spare;
    if (!waiter) {
        waiter = zmalloc(sizeof *waiter);
        pt_cond_init(&waiter->done);
        return waiter;
    }
    self->spare = waiter->next;
    waiter->next = NULL;
    return waiter;
}

static void give_back(pt_submissions_t *self, pt_waiter_t *waiter)
{
    free(waiter->options);
    waiter->options = NULL;
    waiter->next = self->spare;
    self->spare = waiter;
}

static void unlink_waiter(pt_submissions_t *self, pt_waiter_t *waiter)
{
    pt_waiter_t **at = &self->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (!*at)
        self->last = at;
    self->queued--;
}

static bool enqueue(pt_submissions_t *self, pt_waiter_t *waiter)
{
    if (self->stop || self->queued >= PT_SUBMISSIONS_MAX)
        return false;
    *self->last = waiter;
    self->last = &waiter->next;
    if (self->queued++ == 0)
        pthread_cond_signal(&self->wake);
    return true;
}

/* Waits for the batch; false if it was not done in time, and the waiter is no longer the handler's.
 */
static bool await(pt_submissions_t *self, pt_waiter_t *waiter)
{
    struct timespec until = pt_until(waiter->until);
    while (waiter->state != PT_WAITER_DONE)
        if (pthread_cond_timedwait(&waiter->done, &self->lock, &until) != 0)
            break;
    if (waiter->state == PT_WAITER_IN_FLIGHT) {
        waiter->state = PT_WAITER_ABANDONED;
        return false;
    }
    if (waiter->state == PT_WAITER_QUEUED) {
        unlink_waiter(self, waiter);
        waiter->outcome = PT_SUBMIT_UNAVAILABLE;
    }
    return true;
}

pt_submit_t pt_submissions_join(pt_submissions_t *self, const pt_submission_t *submission,
                                int wait_ms, pt_uuid_t *job_id, int64_t *created_at)
{
    pt_submit_t outcome = PT_SUBMIT_UNAVAILABLE;
    char *options = submission->options ? strdup(submission->options) : NULL;
    assert(!submission->options || options);
    *job_id = pt_uuid_new(pt_wall_us());
    pthread_mutex_lock(&self->lock);
    pt_waiter_t *waiter = take_waiter(self);
    waiter->submission = *submission;
    waiter->submission.options = waiter->options = options;
    waiter->job_id = *job_id;
    waiter->until = pt_clock_ms() + wait_ms;
    waiter->outcome = PT_SUBMIT_UNAVAILABLE;
    waiter->state = PT_WAITER_QUEUED;
    if (!enqueue(self, waiter) || await(self, waiter)) {
        outcome = waiter->outcome;
        *created_at = waiter->created_at;
        give_back(self, waiter);
    }
    pthread_mutex_unlock(&self->lock);
    return outcome;
}

size_t pt_submissions_take(pt_submissions_t *self, pt_waiter_t **taken, size_t room, bool may_wait)
{
    size_t count = 0;
    pthread_mutex_lock(&self->lock);
    while (!self->first && !self->stop && may_wait)
        pthread_cond_wait(&self->wake, &self->lock);
    while (self->first && count < room && !self->stop) {
        pt_waiter_t *waiter = self->first;
        self->first = waiter->next;
        waiter->next = NULL;
        waiter->state = PT_WAITER_IN_FLIGHT;
        taken[count++] = waiter;
        self->queued--;
    }
    if (!self->first)
        self->last = &self->first;
    pthread_mutex_unlock(&self->lock);
    return count;
}

void pt_submissions_answer(pt_submissions_t *self, pt_waiter_t **taken, size_t count)
{
    size_t waiting = 0;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < count; i++) {
        pt_waiter_t *waiter = taken[i];
        if (waiter->state == PT_WAITER_ABANDONED) {
            give_back(self, waiter);
        } else {
            waiter->state = PT_WAITER_DONE;
            taken[waiting++] = waiter;
        }
    }
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < waiting; i++)
        pthread_cond_signal(&taken[i]->done);
}

void pt_submissions_stop(pt_submissions_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
}

bool pt_submissions_stopping(pt_submissions_t *self)
{
    pthread_mutex_lock(&self->lock);
    bool stop = self->stop;
    pthread_mutex_unlock(&self->lock);
    return stop;
}

void pt_submissions_turn_away(pt_submissions_t *self)
{
    pthread_mutex_lock(&self->lock);
    for (pt_waiter_t *waiter = self->first; waiter; waiter = waiter->next) {
        waiter->state = PT_WAITER_DONE;
        pthread_cond_signal(&waiter->done);
    }
    self->first = NULL;
    self->last = &self->first;
    self->queued = 0;
    pthread_mutex_unlock(&self->lock);
}

size_t pt_submissions_count(pt_submissions_t *self)
{
    pthread_mutex_lock(&self->lock);
    size_t count = self->queued;
    pthread_mutex_unlock(&self->lock);
    return count;
}
