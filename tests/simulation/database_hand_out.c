/* As pt_sql_hand_out and pt_sql_next_due of gateway/store/move.c: whose jobs are handed out, by the
 * limits, by turns (gateway/dispatch/turns.h), and within an organisation by class and time. */
#include "tests/simulation/database_inside.h"

#include "gateway/dispatch/turns.h"

#include <jansson.h>

/* ---- limits ------------------------------------------------------------------------------ */

/* How many are out; ANY_ORG and ANY_TYPE stand for all. */
static int out(const world_t *world, int org, int type)
{
    int n = 0;
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        const job_t *about = job_at(world, job);
        n += record->exists && !record->due_at && !pt_state_ended(record->row.state) &&
             (org == ANY_ORG || about->org == org) && (type == ANY_TYPE || about->type == type);
    }
    return n;
}

/* What the limit leaves; below 0: more are out than it allows. */
static int left_of(const world_t *world, int org, int type)
{
    int limit = world->settings.limits[org][type];
    return limit == 0 ? INT32_MAX : limit - out(world, org, type);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* How many more of the organisation's jobs of the type may be out. */
static int room_of(const world_t *world, int org, int type)
{
    return least(left_of(world, ANY_ORG, type),
                 least(left_of(world, org, type), left_of(world, org, ANY_TYPE)));
}

bool db_is_limited(const world_t *world, int org, int type)
{
    const settings_t *settings = &world->settings;
    return settings->limits[ANY_ORG][type] || settings->limits[org][type] ||
           settings->limits[org][ANY_TYPE];
}

void db_check_limits(world_t *world)
{
    for (int org = 0; org <= ORGS_MAX; org++)
        for (int type = 0; type <= TYPES_MAX; type++)
            if (left_of(world, org, type) < 0)
                broken(world, "more jobs are out than the limit of %d for organisation %d, type %d",
                       world->settings.limits[org][type], org, type);
}

/* ---- whose turn it is -------------------------------------------------------------------- */

typedef struct {
    int job, org;
    int64_t turn;
} candidate_t;

static bool is_due(const world_t *world, int job, int org, int type)
{
    const record_t *record = &world->database->records[job];
    return record->exists && record->due_at && record->due_at <= db_now(world) &&
           job_at(world, job)->org == org && job_at(world, job)->type == type;
}

/* By class, then by time. */
static bool goes_before(const world_t *world, int a, int b)
{
    const record_t *records = world->database->records;
    int left = job_at(world, a)->priority, right = job_at(world, b)->priority;
    return left != right ? left < right : records[a].due_at < records[b].due_at;
}

static bool is_chosen(const candidate_t *chosen, size_t count, int job)
{
    for (size_t i = 0; i < count; i++)
        if (chosen[i].job == job)
            return true;
    return false;
}

static int first_of(const world_t *world, const candidate_t *chosen, size_t count, int org,
                    int type)
{
    int best = -1;
    for (int job = 0; job < world->settings.jobs; job++)
        if (is_due(world, job, org, type) && !is_chosen(chosen, count, job) &&
            (best < 0 || goes_before(world, job, best)))
            best = job;
    return best;
}

/* Where each organisation stands on the line, as the leader says. */
static void read_turns(const statement_t *ask, int64_t starts[ORGS_MAX])
{
    json_t *ahead = json_loads(ask->turns, 0, NULL);
    for (int org = 0; org < ORGS_MAX; org++) {
        char text[PT_UUID_TEXT];
        pt_uuid_t id = org_id(org);
        int64_t start = json_integer_value(json_object_get(ahead, pt_uuid_format(&id, text)));
        starts[org] = start > ask->number ? start : ask->number;
    }
    json_decref(ahead);
}

/* Who stands furthest back of those that have a job and room, the smaller id first; −1: nobody. */
static int whose_turn(const world_t *world, const int64_t starts[ORGS_MAX],
                      const int rooms[ORGS_MAX], const candidate_t *chosen, size_t count, int type)
{
    int best = -1;
    for (int org = 0; org < ORGS_MAX; org++)
        if (rooms[org] > 0 && first_of(world, chosen, count, org, type) >= 0 &&
            (best < 0 || starts[org] < starts[best]))
            best = org;
    return best;
}

static size_t choose(world_t *world, const statement_t *ask, int rooms[ORGS_MAX],
                     candidate_t chosen[])
{
    int64_t starts[ORGS_MAX];
    int all = left_of(world, ANY_ORG, ask->type), org;
    size_t count = 0, most = all < 0 ? 0 : (size_t)all < ask->room ? (size_t)all : ask->room;
    read_turns(ask, starts);
    while (count < most &&
           (org = whose_turn(world, starts, rooms, chosen, count, ask->type)) >= 0) {
        int job = first_of(world, chosen, count, org, ask->type);
        chosen[count++] = (candidate_t){job, org, starts[org]};
        starts[org] += PT_TURN / world->settings.weights[org];
        rooms[org]--;
    }
    return count;
}

/* ---- the statements ---------------------------------------------------------------------- */

static void hand_out_one(world_t *world, const candidate_t *chosen, item_t *item)
{
    record_t *record = &world->database->records[chosen->job];
    world->coverage->rows[PT_WAITING][PT_FACT_HANDED_OUT]++;
    if (record->handed_out >= record->row.attempt)
        broken(world, "job %d: attempt %u is handed out again", chosen->job, record->row.attempt);
    record->due_at = 0;
    record->row.state = pt_job_transition(PT_WAITING, PT_FACT_HANDED_OUT).next;
    record->handed_out = record->row.attempt;
    *item = (item_t){.job = chosen->job,
                     .org = chosen->org,
                     .attempt = record->row.attempt,
                     .turn = chosen->turn};
}

/* Whose first job nobody has locked: it must have its turn. */
static void note_eligible(const world_t *world, statement_t *ask, const int rooms[ORGS_MAX])
{
    for (int org = 0; org < ORGS_MAX; org++) {
        int job = rooms[org] > 0 ? first_of(world, NULL, 0, org, ask->type) : -1;
        ask->eligible[org] = job >= 0 && !world->database->records[job].locked_by;
        if (rooms[org] <= 0 && first_of(world, NULL, 0, org, ask->type) >= 0)
            sight(world, SIGHT_LIMIT_HELD);
    }
}

void db_hand_out(world_t *world, statement_t *ask)
{
    int rooms[ORGS_MAX];
    candidate_t chosen[JOBS_MAX];
    for (int org = 0; org < ORGS_MAX; org++)
        rooms[org] = room_of(world, org, ask->type);
    note_eligible(world, ask, rooms);
    size_t count = choose(world, ask, rooms, chosen);
    for (size_t i = 0; i < count; i++)
        if (!world->database->records[chosen[i].job].locked_by) /* skip locked */
            hand_out_one(world, &chosen[i], &ask->items[ask->count++]);
    db_check_limits(world);
}

void db_next_due(world_t *world, statement_t *ask)
{
    ask->number = -1;
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        if (!record->exists || !record->due_at || job_at(world, job)->type != ask->type)
            continue;
        if (room_of(world, job_at(world, job)->org, ask->type) <= 0) {
            ask->held = true;
            continue;
        }
        int64_t left = (record->due_at - db_now(world)) / MS;
        left = left > 0 ? left : 0;
        ask->number = ask->number < 0 || left < ask->number ? left : ask->number;
    }
}

/* ---- for who checks ---------------------------------------------------------------------- */

bool database_may_go(const world_t *world, int job)
{
    int org = job_at(world, job)->org, type = job_at(world, job)->type;
    return is_due(world, job, org, type) && room_of(world, org, type) > 0;
}

bool database_is_held(const world_t *world, int job)
{
    int org = job_at(world, job)->org, type = job_at(world, job)->type;
    return is_due(world, job, org, type) && room_of(world, org, type) <= 0;
}

int database_out(const world_t *world, int type)
{
    return out(world, ANY_ORG, type);
}
