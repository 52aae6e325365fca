#include "broker/queue.h"

#include "broker/table.h"

TAILQ_HEAD(pt_jobs, pt_held);
TAILQ_HEAD(pt_round, pt_turns);

/* An organisation in the round: one that has jobs waiting, or has had a turn. Without the second,
   one that sends job after job would begin its turns anew with each. */
typedef struct pt_turns {
    pt_uuid_t org_id;
    uint32_t weight, had; /* turns in a round, and of these in this round */
    size_t waiting;
    struct pt_jobs jobs[PT_PRIORITIES];
    TAILQ_ENTRY(pt_turns) link;
} pt_turns_t;

/* When nothing waits and another comes, the round is over and everybody forgotten: so there are
   never more than the organisations of one backlog. */
struct pt_queue {
    struct pt_round now, next; /* who has turns left, the first is next; who has had them all */
    zhashx_t *by_org;
    size_t waiting;
};

pt_queue_t *pt_queue_new(void)
{
    pt_queue_t *self = zmalloc(sizeof *self);
    TAILQ_INIT(&self->now);
    TAILQ_INIT(&self->next);
    self->by_org = pt_table_by_uuid();
    return self;
}

static void forget(pt_queue_t *self, struct pt_round *round, pt_turns_t *turns)
{
    TAILQ_REMOVE(round, turns, link);
    zhashx_delete(self->by_org, &turns->org_id);
    free(turns);
}

static void forget_all(pt_queue_t *self)
{
    TAILQ_CONCAT(&self->now, &self->next, link);
    while (!TAILQ_EMPTY(&self->now))
        forget(self, &self->now, TAILQ_FIRST(&self->now));
}

void pt_queue_destroy(pt_queue_t **self_p)
{
    pt_queue_t *self = *self_p;
    if (!self)
        return;
    forget_all(self);
    zhashx_destroy(&self->by_org);
    free(self);
    *self_p = NULL;
}

static pt_turns_t *need_turns(pt_queue_t *self, const pt_uuid_t *org_id)
{
    pt_turns_t *turns = zhashx_lookup(self->by_org, org_id);
    if (turns)
        return turns;
    if (self->waiting == 0)
        forget_all(self);
    turns = zmalloc(sizeof *turns);
    turns->org_id = *org_id;
    for (size_t i = 0; i < PT_PRIORITIES; i++)
        TAILQ_INIT(&turns->jobs[i]);
    TAILQ_INSERT_TAIL(&self->now, turns, link);
    zhashx_insert(self->by_org, &turns->org_id, turns);
    return turns;
}

void pt_queue_add(pt_queue_t *self, pt_held_t *job, uint32_t weight)
{
    pt_turns_t *turns = need_turns(self, &job->org_id);
    turns->weight = weight;
    TAILQ_INSERT_TAIL(&turns->jobs[job->priority], job, link);
    turns->waiting++;
    self->waiting++;
    job->turns = turns;
}

void pt_queue_remove(pt_queue_t *self, pt_held_t *job)
{
    TAILQ_REMOVE(&job->turns->jobs[job->priority], job, link);
    job->turns->waiting--;
    job->turns = NULL;
    self->waiting--;
}

/* It has no turns left in this round. */
static void end_round(pt_queue_t *self, pt_turns_t *turns)
{
    turns->had = 0;
    TAILQ_REMOVE(&self->now, turns, link);
    TAILQ_INSERT_TAIL(&self->next, turns, link);
}

/* The organisation whose turn it is, of those that have jobs waiting; there is one. One that has
   none is passed over twice at most for each job it had: its turns end, then it is forgotten. */
static pt_turns_t *whose_turn(pt_queue_t *self)
{
    for (;;) {
        if (TAILQ_EMPTY(&self->now))
            TAILQ_CONCAT(&self->now, &self->next, link);
        pt_turns_t *turns = TAILQ_FIRST(&self->now);
        if (turns->waiting)
            return turns;
        if (turns->had)
            end_round(self, turns);
        else
            forget(self, &self->now, turns);
    }
}

static void end_turn(pt_queue_t *self, pt_turns_t *turns)
{
    if (++turns->had >= turns->weight) {
        end_round(self, turns);
        return;
    }
    TAILQ_REMOVE(&self->now, turns, link);
    TAILQ_INSERT_TAIL(&self->now, turns, link);
}

static pt_held_t *first_job(const pt_turns_t *turns)
{
    size_t priority = 0;
    while (TAILQ_EMPTY(&turns->jobs[priority]))
        priority++;
    return TAILQ_FIRST(&turns->jobs[priority]);
}

pt_held_t *pt_queue_take(pt_queue_t *self)
{
    if (self->waiting == 0)
        return NULL;
    pt_turns_t *turns = whose_turn(self);
    pt_held_t *job = first_job(turns);
    end_turn(self, turns);
    pt_queue_remove(self, job);
    return job;
}
