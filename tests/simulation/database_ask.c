#include "tests/simulation/database_inside.h"

void db_awaits_ending(world_t *world, statement_t *ask)
{
    const record_t *record =
        ask->items[0].job < 0 ? NULL : &world->database->records[ask->items[0].job];
    ask->number = record && record->exists && !pt_state_ended(record->row.state) &&
                  record->row.attempt == ask->items[0].attempt;
}

void db_note_unserved(world_t *world, statement_t *ask)
{
    int64_t *since = world->database->unserved_since;
    for (int type = 0; type < TYPES_MAX; type++) {
        if (!(ask->context >> type & 1))
            since[type] = 0;
        if (ask->number >> type & 1 && !since[type])
            since[type] = db_now(world);
    }
}

/* When it has waited too long: since it waits, and since nobody serves its type. */
static int64_t expiry_of(const world_t *world, int job)
{
    int64_t since = world->database->unserved_since[job_at(world, job)->type];
    int64_t due = world->database->records[job].due_at;
    return (since > due ? since : due) + world->settings.queue_timeout_us;
}

static bool waits_unserved(const world_t *world, int job, int type)
{
    const record_t *record = &world->database->records[job];
    return record->exists && record->due_at && job_at(world, job)->type == type &&
           world->database->unserved_since[type];
}

void db_expired(world_t *world, statement_t *ask)
{
    for (int job = 0; job < world->settings.jobs && ask->count < ask->room; job++)
        if (waits_unserved(world, job, ask->type) && expiry_of(world, job) <= db_now(world))
            ask->items[ask->count++] =
                (item_t){.job = job, .attempt = world->database->records[job].row.attempt};
}

void db_next_expiry(world_t *world, statement_t *ask)
{
    ask->number = -1;
    for (int job = 0; job < world->settings.jobs; job++) {
        if (!waits_unserved(world, job, ask->type))
            continue;
        int64_t left = (expiry_of(world, job) - db_now(world)) / MS + 1;
        left = left > 0 ? left : 0;
        ask->number = ask->number < 0 || left < ask->number ? left : ask->number;
    }
}

void db_waiting_types(world_t *world, statement_t *ask)
{
    ask->number = 0;
    for (int job = 0; job < world->settings.jobs; job++)
        if (world->database->records[job].exists && world->database->records[job].due_at)
            ask->number |= 1 << job_at(world, job)->type;
}

void db_out_page(world_t *world, statement_t *ask)
{
    for (pt_uuid_t last = ask->after; ask->count < ask->room;) {
        int best = -1;
        for (int job = 0; job < world->settings.jobs; job++) {
            const record_t *record = &world->database->records[job];
            if (record->exists && !record->due_at && !record->row.completed_at &&
                pt_uuid_compare(&record->row.job_id, &last) > 0 &&
                (best < 0 || pt_uuid_compare(&record->row.job_id,
                                             &world->database->records[best].row.job_id) < 0))
                best = job;
        }
        if (best < 0)
            return;
        last = world->database->records[best].row.job_id;
        ask->items[ask->count++] =
            (item_t){.job = best, .attempt = world->database->records[best].row.attempt};
    }
}

void db_lead(world_t *world, statement_t *ask)
{
    struct database *self = world->database;
    if (self->leader >= 0 && world->now - self->leader_pinged > IDLE_SESSION)
        self->leader = -1;
    if (self->leader < 0) {
        self->leader = ask->by->index;
        self->leader_session = ask->session;
    }
    ask->number = self->leader == ask->by->index && self->leader_session == ask->session;
    if (ask->number)
        self->leader_pinged = world->now;
}

void db_read_events(world_t *world, statement_t *ask)
{
    const struct database *self = world->database;
    for (uint64_t seq = (uint64_t)ask->number + 1;
         seq <= self->last_seq[ask->org] && ask->count < ask->room; seq++) {
        item_t *item = &ask->items[ask->count++];
        item->seq = seq;
        item->job = self->events[ask->org][seq].job;
        item->event.type = self->events[ask->org][seq].type;
    }
}

void db_edges(world_t *world, statement_t *ask)
{
    memcpy(ask->seqs, world->database->last_seq, sizeof ask->seqs);
}

/* As sql_declare of gateway/record/registrar.c. */
void db_declare(world_t *world, statement_t *ask)
{
    declaration_t *stands = &world->database->declared[ask->type];
    const declaration_t *said = &ask->declaration;
    sight(world, said->version < stands->version   ? SIGHT_DECLARED_OLDER
                 : said->version > stands->version ? SIGHT_DECLARED_NEWER
                 : said->title != stands->title    ? SIGHT_DECLARED_OTHER
                                                   : SIGHT_DECLARED_AGAIN);
    if (said->version >= stands->version)
        *stands = *said;
}
