#include "broker/queue.h"

#include "broker/table.h"

/* An organisation that has jobs waiting; it is there only as long as it has. */
typedef struct pt_turn {
    pt_uuid_t org_id;
    TAILQ_HEAD(, pt_held) jobs;
    TAILQ_ENTRY(pt_turn) link;
} pt_turn_t;

struct pt_queue {
    TAILQ_HEAD(, pt_turn) turns; /* the first is next */
    zhashx_t *by_org;
};

pt_queue_t *pt_queue_new(void)
{
    pt_queue_t *self = zmalloc(sizeof *self);
    TAILQ_INIT(&self->turns);
    self->by_org = pt_table_by_uuid();
    return self;
}

static void drop_turn(pt_queue_t *self, pt_turn_t *turn)
{
    TAILQ_REMOVE(&self->turns, turn, link);
    zhashx_delete(self->by_org, &turn->org_id);
    free(turn);
}

void pt_queue_destroy(pt_queue_t **self_p)
{
    pt_queue_t *self = *self_p;
    if (!self)
        return;
    while (!TAILQ_EMPTY(&self->turns))
        drop_turn(self, TAILQ_FIRST(&self->turns));
    zhashx_destroy(&self->by_org);
    free(self);
    *self_p = NULL;
}

static pt_turn_t *need_turn(pt_queue_t *self, const pt_uuid_t *org_id)
{
    pt_turn_t *turn = zhashx_lookup(self->by_org, org_id);
    if (turn)
        return turn;
    turn = zmalloc(sizeof *turn);
    turn->org_id = *org_id;
    TAILQ_INIT(&turn->jobs);
    TAILQ_INSERT_TAIL(&self->turns, turn, link);
    zhashx_insert(self->by_org, &turn->org_id, turn);
    return turn;
}

void pt_queue_add(pt_queue_t *self, pt_held_t *job)
{
    job->turn = need_turn(self, &job->org_id);
    TAILQ_INSERT_TAIL(&job->turn->jobs, job, link);
}

void pt_queue_remove(pt_queue_t *self, pt_held_t *job)
{
    pt_turn_t *turn = job->turn;
    TAILQ_REMOVE(&turn->jobs, job, link);
    job->turn = NULL;
    if (TAILQ_EMPTY(&turn->jobs))
        drop_turn(self, turn);
}

pt_held_t *pt_queue_take(pt_queue_t *self)
{
    pt_turn_t *turn = TAILQ_FIRST(&self->turns);
    if (!turn)
        return NULL;
    TAILQ_REMOVE(&self->turns, turn, link);
    TAILQ_INSERT_TAIL(&self->turns, turn, link);
    pt_held_t *job = TAILQ_FIRST(&turn->jobs);
    pt_queue_remove(self, job);
    return job;
}
