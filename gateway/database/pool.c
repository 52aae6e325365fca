#include "gateway/database/pool.h"

#include "proto/program/process.h"

#include <pthread.h>

struct pt_pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    pt_pg_t **free; /* a stack: the connection that was used last is used first */
    size_t free_count, size;
    char *uri;
    pt_uuid_t large_of[PT_LARGE_ANSWERS]; /* whose answers are in memory */
    size_t large;
    pthread_cond_t left;       /* one fewer */
    pthread_mutex_t one_large; /* while it is read, it is there three times */
};

pt_pool_t *pt_pool_new(const char *uri, size_t size)
{
    pt_pool_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->returned);
    pt_cond_init(&self->left);
    pthread_mutex_init(&self->one_large, NULL);
    self->uri = strdup(uri);
    assert(self->uri);
    self->free = zmalloc(size * sizeof *self->free);
    for (; self->size < size; self->size++)
        self->free[self->free_count++] = pt_pg_new(uri);
    return self;
}

void pt_pool_destroy(pt_pool_t **self_p)
{
    pt_pool_t *self = *self_p;
    if (!self)
        return;
    assert(self->free_count == self->size); /* every borrower has given back */
    for (size_t i = 0; i < self->size; i++)
        pt_pg_destroy(&self->free[i]);
    pthread_mutex_destroy(&self->one_large);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->left);
    free(self->uri);
    pthread_cond_destroy(&self->returned);
    free(self->free);
    free(self);
    *self_p = NULL;
}

static pt_pg_t *take(pt_pool_t *self, int64_t until)
{
    struct timespec at = pt_until(until);
    pt_pg_t *pg = NULL;
    pthread_mutex_lock(&self->lock);
    while (self->free_count == 0)
        if (pthread_cond_timedwait(&self->returned, &self->lock, &at) != 0)
            break;
    if (self->free_count > 0)
        pg = self->free[--self->free_count];
    pthread_mutex_unlock(&self->lock);
    return pg;
}

static void give_back(pt_pool_t *self, pt_pg_t *pg)
{
    pthread_mutex_lock(&self->lock);
    self->free[self->free_count++] = pg;
    pthread_cond_signal(&self->returned);
    pthread_mutex_unlock(&self->lock);
}

static pt_pg_outcome_t run(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                           int param_count, int deadline_ms, int tries, PGresult **result)
{
    int64_t until = pt_clock_ms() + deadline_ms;
    pt_pg_outcome_t outcome = PT_PG_AWAY;
    if (result)
        *result = NULL;
    pt_pg_t *pg = take(self, until);
    for (int left = deadline_ms; pg && tries-- > 0 && outcome == PT_PG_AWAY && left > 0;) {
        left = (int)(until - pt_clock_ms());
        outcome = pt_pg_run(pg, sql, params, param_count, left, result);
    }
    if (pg)
        give_back(self, pg);
    return outcome;
}

/* A connection that died while it lay idle says so only now; a read may simply be repeated. */
pt_pg_outcome_t pt_pool_run(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                            int param_count, int deadline_ms, PGresult **result)
{
    return run(self, sql, params, param_count, deadline_ms, 2, result);
}

pt_pg_outcome_t pt_pool_run_once(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                                 int param_count, int deadline_ms, PGresult **result)
{
    return run(self, sql, params, param_count, deadline_ms, 1, result);
}

/* ---- large answers ----------------------------------------------------------------------- */

static bool has_turn(const pt_pool_t *self, const pt_uuid_t *org)
{
    size_t own = 0;
    for (size_t i = 0; i < self->large; i++)
        own += pt_uuid_equal(&self->large_of[i], org);
    return self->large < PT_LARGE_ANSWERS && own < PT_LARGE_ANSWERS / 2;
}

bool pt_pool_enter_large(pt_pool_t *self, const pt_uuid_t *org, int wait_ms)
{
    struct timespec until = pt_until(pt_clock_ms() + wait_ms);
    pthread_mutex_lock(&self->lock);
    while (!has_turn(self, org))
        if (pthread_cond_timedwait(&self->left, &self->lock, &until) != 0)
            break;
    bool entered = has_turn(self, org);
    if (entered)
        self->large_of[self->large++] = *org;
    pthread_mutex_unlock(&self->lock);
    return entered;
}

void pt_pool_leave_large(pt_pool_t *self, const pt_uuid_t *org)
{
    size_t i = 0;
    pthread_mutex_lock(&self->lock);
    while (!pt_uuid_equal(&self->large_of[i], org))
        i++;
    self->large_of[i] = self->large_of[--self->large];
    pthread_cond_broadcast(&self->left); /* not everyone may take its turn */
    pthread_mutex_unlock(&self->lock);
}

pt_pg_outcome_t pt_pool_run_large(pt_pool_t *self, const pt_sql_t *sql, const char *const *params,
                                  int param_count, int deadline_ms, PGresult **result)
{
    pthread_mutex_lock(&self->one_large);
    pt_pg_t *pg = pt_pg_new(self->uri);
    pt_pg_outcome_t outcome = pt_pg_run(pg, sql, params, param_count, deadline_ms, result);
    pt_pg_destroy(&pg);
    pthread_mutex_unlock(&self->one_large);
    return outcome;
}
