#include "gateway/api/awaits.h"

#include "proto/program/process.h"

#include <pthread.h>
#include <sys/queue.h>

#define LOOK_AGAIN_MS 250 /* the first time; then each time twice as long */

typedef struct waiter {
    const pt_uuid_t *org_id, *job_id;
    bool ended; /* an event said so */
    pthread_cond_t wake;
    LIST_ENTRY(waiter) link;
} waiter_t;

struct pt_awaits {
    pthread_mutex_t lock;
    LIST_HEAD(, waiter) waiting;
    int most, count;
    bool closed;
    void (*listen)(void *context, bool on);
    void *context;
};

pt_awaits_t *pt_awaits_new(int most, void (*listen)(void *context, bool on), void *context)
{
    pt_awaits_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    LIST_INIT(&self->waiting);
    self->most = most;
    self->listen = listen;
    self->context = context;
    return self;
}

void pt_awaits_destroy(pt_awaits_t **self_p)
{
    pt_awaits_t *self = *self_p;
    if (!self)
        return;
    assert(LIST_EMPTY(&self->waiting));
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

void pt_awaits_ended(pt_awaits_t *self, const pt_uuid_t *job_id)
{
    waiter_t *waiter;
    pthread_mutex_lock(&self->lock);
    LIST_FOREACH(waiter, &self->waiting, link)
    {
        if (!pt_uuid_equal(waiter->job_id, job_id))
            continue;
        waiter->ended = true;
        pthread_cond_signal(&waiter->wake);
    }
    pthread_mutex_unlock(&self->lock);
}

void pt_awaits_close(pt_awaits_t *self)
{
    waiter_t *waiter;
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    LIST_FOREACH(waiter, &self->waiting, link)
    {
        pthread_cond_signal(&waiter->wake);
    }
    pthread_mutex_unlock(&self->lock);
}

/* ---- one request ------------------------------------------------------------------------- */

static bool has_room(const pt_awaits_t *self, const pt_uuid_t *org_id)
{
    const waiter_t *waiter;
    int own = 0;
    LIST_FOREACH(waiter, &self->waiting, link)
    {
        own += pt_uuid_equal(waiter->org_id, org_id);
    }
    return !self->closed && self->count < self->most && own < (self->most + 1) / 2;
}

static bool enter(pt_awaits_t *self, waiter_t *waiter)
{
    pthread_mutex_lock(&self->lock);
    bool room = has_room(self, waiter->org_id);
    if (room) {
        LIST_INSERT_HEAD(&self->waiting, waiter, link);
        if (self->count++ == 0)
            self->listen(self->context, true);
    }
    pthread_mutex_unlock(&self->lock);
    return room;
}

static void leave(pt_awaits_t *self, waiter_t *waiter)
{
    pthread_mutex_lock(&self->lock);
    LIST_REMOVE(waiter, link);
    if (--self->count == 0)
        self->listen(self->context, false);
    pthread_mutex_unlock(&self->lock);
}

/* Until an event, or until then; false: all give up. */
static bool sleep_until(pt_awaits_t *self, waiter_t *waiter, int64_t until)
{
    struct timespec at = pt_until(until);
    pthread_mutex_lock(&self->lock);
    while (!waiter->ended && !self->closed &&
           pthread_cond_timedwait(&waiter->wake, &self->lock, &at) == 0)
        ;
    bool on = !self->closed;
    waiter->ended = false; /* an event is a hint: the table may know of it a moment later */
    pthread_mutex_unlock(&self->lock);
    return on;
}

static bool watch(pt_awaits_t *self, waiter_t *waiter, int64_t until,
                  bool (*has_ended)(void *asker), void *asker)
{
    int64_t pause = LOOK_AGAIN_MS, now;
    bool on = true;
    while (!has_ended(asker)) {
        now = pt_clock_ms();
        if (!on || now >= until)
            return false;
        on = sleep_until(self, waiter, now + pause < until ? now + pause : until);
        pause *= 2;
    }
    return true;
}

bool pt_awaits_wait(pt_awaits_t *self, const pt_uuid_t *org_id, const pt_uuid_t *job_id,
                    int64_t wait_ms, bool (*has_ended)(void *asker), void *asker)
{
    waiter_t waiter = {.org_id = org_id, .job_id = job_id};
    int64_t until = pt_clock_ms() + wait_ms;
    pt_cond_init(&waiter.wake);
    bool ended = false;
    if (enter(self, &waiter)) {
        ended = watch(self, &waiter, until, has_ended, asker);
        leave(self, &waiter);
    }
    pthread_cond_destroy(&waiter.wake);
    return ended;
}
