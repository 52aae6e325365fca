#include "tests/simulation/database_inside.h"

bool database_has(const world_t *world, int job)
{
    return world->database->records[job].exists;
}

const pt_row_t *database_row(const world_t *world, int job)
{
    return &world->database->records[job].row;
}

bool database_handed_out(const world_t *world, int job, uint32_t attempt)
{
    return world->database->records[job].handed_out >= attempt;
}

bool database_settled(const world_t *world, int job, uint32_t attempt)
{
    const record_t *record = &world->database->records[job];
    return !record->exists || pt_state_ended(record->row.state) || record->row.attempt > attempt;
}

declaration_t database_declared(const world_t *world, int type)
{
    return world->database->declared[type];
}

uint64_t database_last_seq(const world_t *world, int org)
{
    return world->database->last_seq[org];
}

int database_event(const world_t *world, int org, uint64_t seq, const char **type)
{
    if (seq == 0 || seq > world->database->last_seq[org])
        return -1;
    *type = world->database->events[org][seq].type;
    return world->database->events[org][seq].job;
}

uint64_t database_timeline(const world_t *world)
{
    return world->database->timeline;
}

bool database_all_ended(const world_t *world)
{
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        if (record->exists && !pt_state_ended(record->row.state))
            return false;
    }
    return true;
}

/* What the script can lead to: failures are nobody else's fault. */
static bool is_fair(const world_t *world, const job_t *job, const pt_row_t *row)
{
    bool bad_for_good = job->bad_tries == BAD_ALWAYS || job->script == SCRIPT_UNACCEPTABLE;
    if (row->state == PT_CANCELED)
        return job->cancel_asked;
    if (row->state == PT_COMPLETED)
        return !bad_for_good;
    if (row->losses >= pt_patience_default.max_losses)
        return true;
    if (strcmp(row->code, "not_served") == 0)
        return world->settings.queue_timeout_us < 60 * (int64_t)SECOND;
    if (strcmp(row->code, "spool_failed") == 0) /* each time that it was tried */
        return world->settings.spool_fails > 0 && row->tries == pt_patience_default.max_tries;
    if (job->script == SCRIPT_FAILS || job->script == SCRIPT_UNACCEPTABLE)
        return row->tries > 0;
    return job->script != SCRIPT_GOOD && row->tries == pt_patience_default.max_tries;
}

void database_check_end(world_t *world)
{
    for (int i = 0; i < world->settings.jobs; i++) {
        const record_t *record = &world->database->records[i];
        const job_t *job = job_at(world, i);
        if (job->accepted && !record->exists)
            broken(world, "job %d was accepted and is not there", i);
        if (!record->exists)
            continue;
        if (!pt_state_ended(record->row.state))
            broken(world, "job %d has not ended", i);
        else if (!is_fair(world, job, &record->row))
            broken(world, "job %d of script %d ended as %s after %u tries", i, (int)job->script,
                   pt_state_status(record->row.state), record->row.tries);
        db_check_log(world, i);
        world->coverage->jobs++;
        world->coverage->attempts += record->row.attempt;
        world->coverage->completed += record->row.state == PT_COMPLETED;
        world->coverage->failed += record->row.state == PT_FAILED;
        world->coverage->canceled += record->row.state == PT_CANCELED;
    }
}
