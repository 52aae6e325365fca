#include "tests/simulation/rest.h"

#include "tests/simulation/broker.h"
#include "tests/simulation/database.h"
#include "tests/simulation/gateway.h"
#include "tests/simulation/subscriber.h"
#include "tests/simulation/worker.h"

#define CALM (45 * (int64_t)SECOND)  /* by then whatever faults hid has been looked for */
#define STUCK (10 * (int64_t)SECOND) /* far below the 30 s after which it is looked for anyway */

const char *unrest(const world_t *world)
{
    if (!database_all_ended(world))
        return "a job has not ended";
    for (int i = 0; i < BROKERS; i++)
        if (!world->brokers[i].up || broker_holds(&world->brokers[i]) > 0)
            return "a broker holds jobs that have ended";
    for (int i = 0; i < world->settings.workers; i++)
        if (!world->workers[i].up || worker_holds(&world->workers[i]) > 0)
            return "a worker holds an ending that nobody settles";
    for (int i = 0; i < world->settings.gateways; i++)
        if (!world->gateways[i].up || gateway_busy(&world->gateways[i]))
            return "a gateway has not done its work";
    for (int i = 0; i < world->settings.orgs; i++)
        if (subscriber_last(&world->subscribers[i]) != database_last_seq(world, i))
            return "a subscriber has not heard of an event";
    for (int type = 0; type < world->settings.types; type++)
        for (int i = 0; i < world->settings.workers; i++)
            if (database_declared(world, type).version <
                worker_declares(&world->workers[i], type).version)
                return "the greatest version that is declared of a type is not in the table";
    return NULL;
}

static size_t slots_of(const world_t *world, int type)
{
    size_t slots = 0;
    for (int i = 0; i < world->settings.workers; i++)
        slots += worker_slots(world, i, type);
    return slots;
}

/* A broker whose few bytes are taken by one type has no room for the others. */
static bool is_narrow(const world_t *world)
{
    return world->settings.broker_bytes < JOBS_MAX;
}

void check_not_stuck(world_t *world, int64_t since)
{
    if (is_narrow(world))
        return;
    for (int i = 0; i < world->settings.jobs && since >= CALM; i++) {
        job_t *job = job_at(world, i);
        bool limited = database_is_held(world, i);
        if (limited)
            sight(world, SIGHT_LIMIT_LATE);
        if (!database_may_go(world, i) ||
            (size_t)database_out(world, job->type) >= slots_of(world, job->type))
            job->could_go = 0;
        else if (job->could_go == 0)
            job->could_go = world->now;
        else if (world->now - job->could_go > STUCK)
            broken(world, "job %d may go and there are slots, but for %d s it is not handed out", i,
                   (int)(STUCK / SECOND));
    }
}
