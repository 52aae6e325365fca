#include "tests/simulation/jobs.h"

#include "tests/simulation/database.h"
#include "tests/simulation/gateway.h"

const char *const job_types[TYPES_MAX] = {"humanization", "stability", "structure"};

struct jobs {
    job_t items[JOBS_MAX];
};

int type_find(const char *job_type)
{
    int type = 0;
    while (strcmp(job_types[type], job_type) != 0)
        type++;
    return type;
}

/* Random, but for the job's number at the end: id 0 is no job's. */
pt_uuid_t make_id(world_t *world, uint32_t index)
{
    pt_uuid_t id;
    uint64_t bits = random_bits(&world->random), more = random_bits(&world->random);
    memcpy(id.bytes, &bits, sizeof bits);
    memcpy(id.bytes + 8, &more, sizeof more);
    for (int i = 0; index > 0 && i < 4; i++)
        id.bytes[12 + i] = (uint8_t)(index >> (24 - 8 * i));
    return id;
}

pt_uuid_t org_id(int org)
{
    pt_uuid_t id = {{0xaa, 0xbb}};
    id.bytes[15] = (uint8_t)(org + 1);
    return id;
}

int org_find(const pt_uuid_t *id)
{
    return id->bytes[15] - 1;
}

job_t *job_at(const world_t *world, int index)
{
    return &world->jobs->items[index];
}

int job_find(const world_t *world, const pt_uuid_t *id)
{
    int index = (id->bytes[14] << 8 | id->bytes[15]) - 1;
    return index >= 0 && index < world->settings.jobs &&
                   pt_uuid_equal(&job_at(world, index)->id, id)
               ? index
               : -1;
}

static script_t draw_script(world_t *world)
{
    if (random_chance(&world->random, 550))
        return SCRIPT_GOOD;
    return random_chance(&world->random, 200) ? SCRIPT_FAILS
                                              : (script_t)draw(world, SCRIPT_FAILS, SCRIPTS - 1);
}

void jobs_new(world_t *world)
{
    world->jobs = must_alloc(sizeof *world->jobs);
    bool short_ones = world->settings.jobs > 100;
    for (int i = 0; i < world->settings.jobs; i++) {
        job_t *job = job_at(world, i);
        job->id = make_id(world, (uint32_t)i + 1);
        job->org = (int)draw(world, 0, world->settings.orgs - 1);
        job->type = (int)draw(world, 0, world->settings.types - 1);
        job->priority =
            random_chance(&world->random, 700) ? PT_PRIORITY_NORMAL : (int)draw(world, 0, 2);
        job->script = short_ones ? SCRIPT_GOOD : draw_script(world);
        job->bad_tries = random_chance(&world->random, 500) ? BAD_ALWAYS : (int)draw(world, 1, 3);
        if (job->script == SCRIPT_FAILS && random_chance(&world->random, 800))
            job->bad_tries = 1; /* whoever did not hear of it may try again */
        if (job->script == SCRIPT_GOOD)
            job->bad_tries = 0;
        if (random_chance(&world->random, world->settings.large))
            job->large = (size_t)draw(world, 65600, 300000);
        if (random_chance(&world->random, world->settings.large_inputs))
            job->inputs = (size_t)draw(world, 65600, 400000);
        job->writes = random_chance(&world->random, world->settings.logs);
        job->steps = (int)draw(world, 0, 3);
        job->step_us = draw(world, 1 * MS, short_ones ? 50 * MS : 900 * MS);
    }
}

void job_started(world_t *world, const node_t *worker, int index, uint32_t attempt)
{
    if (index < 0 || attempt == 0 || attempt >= ATTEMPTS_MAX) {
        broken(world, "%s starts a job that nobody submitted", node_name(worker));
        return;
    }
    world->coverage->executions++;
    trace(world, worker, "starts job %d.%u", index, attempt);
    if (!database_handed_out(world, index, attempt))
        broken(world, "job %d.%u is started and was not handed out", index, attempt);
    if (++job_at(world, index)->started[attempt] > 1)
        broken(world, "job %d.%u is started twice", index, attempt);
}

/* ---- clients ----------------------------------------------------------------------------- */

/* A request to any gateway; nobody answers if it is not up. */
static void request(world_t *world, handler_t *handler, int job)
{
    node_t *gateway = &world->gateways[draw(world, 0, world->settings.gateways - 1)];
    message_at(world, gateway, world->now + draw(world, 100, 2 * MS), handler, job, NULL);
}

static void on_submit(world_t *world, node_t *client, event_t *event)
{
    (void)client;
    request(world, gateway_submit, (int)event->number);
}

static void on_cancel(world_t *world, node_t *client, event_t *event)
{
    (void)client;
    request(world, gateway_cancel, (int)event->number);
}

void clients_start(world_t *world)
{
    int64_t last = world->settings.chaos_us * 8 / 10;
    int64_t burst = draw(world, 0, last);
    bool bursts = world->settings.jobs > 100 || random_chance(&world->random, 300);
    for (int i = 0; i < world->settings.jobs; i++) {
        int64_t at = bursts ? burst + draw(world, 0, 300 * MS) : draw(world, 0, last);
        after(world, &world->client, at, on_submit, i, NULL);
        for (int once = 0; once < 2; once++) /* some cancel twice */
            if (random_chance(&world->random, world->settings.cancel))
                after(world, &world->client,
                      at + draw(world, 0,
                                random_chance(&world->random, 600) ? 6 * SECOND : 25 * SECOND),
                      on_cancel, i, NULL);
    }
}

void client_accepted(world_t *world, node_t *gateway, int job)
{
    job_at(world, job)->accepted = true;
    trace(world, gateway, "answers 202 for job %d", job);
    if (!database_has(world, job))
        broken(world, "job %d is accepted and not in the table", job);
}
