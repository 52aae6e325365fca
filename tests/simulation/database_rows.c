#include "tests/simulation/database_inside.h"

/* ---- what every commit must leave true --------------------------------------------------- */

static int order_of(pt_state_t state)
{
    return state == PT_WAITING || state == PT_OUT ? 0 : state == PT_RUNNING ? 1 : 2;
}

static void check_progress(world_t *world, const record_t *old, const pt_row_t *row, int job)
{
    if (pt_state_ended(old->row.state))
        broken(world, "job %d had ended as %s and changes", job, pt_state_status(old->row.state));
    else if (row->attempt == old->row.attempt && order_of(row->state) < order_of(old->row.state))
        broken(world, "job %d goes back to %s within attempt %u", job, pt_state_status(row->state),
               row->attempt);
    else if (row->attempt != old->row.attempt &&
             (row->attempt != old->row.attempt + 1 || row->state != PT_WAITING))
        broken(world, "job %d: attempt %u becomes %u", job, old->row.attempt, row->attempt);
    else if (old->row.state == PT_WAITING && row->state != PT_CANCELED &&
             strcmp(row->code, "not_served") != 0)
        broken(world, "job %d waits, and something is recorded of it", job);
}

static void check_times(world_t *world, const record_t *old, const pt_row_t *row, int job)
{
    bool ended = pt_state_ended(row->state);
    if (old->row.started_at && row->started_at != old->row.started_at)
        broken(world, "job %d started a second time", job);
    else if (row->started_at && row->started_at < row->created_at)
        broken(world, "job %d started before it was created", job);
    else if (ended != (row->completed_at != 0))
        broken(world, "job %d is %s and completed_at is%s set", job, pt_state_status(row->state),
               ended ? " not" : "");
    else if (ended && (row->completed_at < row->created_at || row->completed_at < row->started_at))
        broken(world, "job %d was completed before it was started", job);
}

static void check_change(world_t *world, const record_t *old, const pt_row_t *row,
                         const pt_event_t *event, int job)
{
    check_progress(world, old, row, job);
    check_times(world, old, row, job);
    if (event->attempt != old->row.attempt)
        broken(world, "job %d at attempt %u changes by an event of attempt %u", job,
               old->row.attempt, event->attempt);
    if (row->tries > pt_patience_default.max_tries || row->losses > pt_patience_default.max_losses)
        broken(world, "job %d was tried %u times and lost %u times", job, row->tries, row->losses);
}

/* ---- changes ----------------------------------------------------------------------------- */

static uint64_t append_event(world_t *world, int org, int job, const char *type)
{
    struct database *self = world->database;
    if (self->last_seq[org] + 1 == EVENTS_MAX) {
        broken(world, "more than %d events of an organisation", EVENTS_MAX);
        return 0;
    }
    self->events[org][++self->last_seq[org]] = (db_event_t){job, type};
    return self->last_seq[org];
}

static void change(world_t *world, item_t *item)
{
    record_t *record = &world->database->records[item->job];
    check_change(world, record, &item->row, &item->event, item->job);
    record->row = item->row;
    record->due_at = item->row.state == PT_WAITING ? db_now(world) + item->row.due_in_us + 1 : 0;
    record->endings += pt_state_ended(item->row.state);
    if (record->endings > 1)
        broken(world, "job %d ended twice", item->job);
    item->seq = append_event(world, job_at(world, item->job)->org, item->job, item->event.type);
    trace(world, &world->database_node, "job %02x%02x.%u is %s, event %llu %s",
          item->row.job_id.bytes[14], item->row.job_id.bytes[15], item->row.attempt,
          pt_state_status(item->row.state), (unsigned long long)item->seq, item->event.type);
}

/* Of that class, or one that goes first. */
static bool anything_waits(const world_t *world, const job_t *like)
{
    for (int job = 0; job < world->settings.jobs; job++) {
        const record_t *record = &world->database->records[job];
        const job_t *other = job_at(world, job);
        if (record->exists && record->due_at && other->org == like->org &&
            other->type == like->type && other->priority <= like->priority)
            return true;
    }
    return false;
}

static void create(world_t *world, item_t *item, bool at_once)
{
    record_t *record = &world->database->records[item->job];
    record->exists = true;
    record->row.job_id = job_at(world, item->job)->id;
    record->row.org_id = org_id(item->org);
    strcpy(record->row.job_type, job_types[item->type]);
    record->row.state = at_once ? PT_OUT : PT_WAITING;
    record->row.attempt = 1;
    record->row.created_at = db_now(world);
    record->row.fraction = -1;
    record->due_at = at_once ? 0 : db_now(world);
    record->handed_out = at_once;
    item->seq = append_event(world, item->org, item->job, "created");
    trace(world, &world->database_node, "job %02x%02x is created, %s", record->row.job_id.bytes[14],
          record->row.job_id.bytes[15], at_once ? "out" : "waiting");
}

void db_submit(world_t *world, statement_t *ask)
{
    bool waits[BATCH_MOST]; /* before any of these is made */
    for (size_t i = 0; i < ask->count; i++)
        waits[i] = anything_waits(world, job_at(world, ask->items[i].job));
    for (size_t i = 0; i < ask->count; i++) {
        item_t *item = &ask->items[i];
        record_t *record = &world->database->records[item->job];
        item->seq = 0;
        if (!record->exists)
            create(world, item,
                   item->reserved && job_at(world, item->job)->inputs == 0 && !waits[i] &&
                       !db_is_limited(world, item->org, item->type));
        item->is_out =
            record->row.state == PT_OUT && record->due_at == 0 && record->row.attempt == 1;
        item->created_at = record->row.created_at;
    }
    db_check_limits(world);
}

transaction_t *db_find_transaction(world_t *world, uint64_t id)
{
    for (int i = 0; i < TRANSACTIONS_MAX; i++)
        if (world->database->transactions[i].id == id)
            return &world->database->transactions[i];
    return NULL;
}

void db_end_transaction(world_t *world, transaction_t *transaction)
{
    for (int job = 0; job < world->settings.jobs; job++)
        if (world->database->records[job].locked_by == transaction->id)
            world->database->records[job].locked_by = 0;
    transaction->id = 0;
}

void db_lock_rows(world_t *world, statement_t *ask)
{
    transaction_t *transaction = db_find_transaction(world, 0);
    if (!transaction) {
        ask->outcome = DB_AWAY;
        return;
    }
    *transaction =
        (transaction_t){++world->database->next, ask->by->index, ask->thread, ask->session};
    ask->transaction = transaction->id;
    ask->now = db_now(world);
    for (size_t i = 0; i < ask->count; i++) {
        item_t *item = &ask->items[i];
        record_t *record = item->job >= 0 ? &world->database->records[item->job] : NULL;
        item->exists = record && record->exists;
        item->locked =
            item->exists && (record->locked_by == 0 || record->locked_by == transaction->id);
        if (!item->locked)
            continue;
        record->locked_by = transaction->id;
        item->row = record->row;
    }
}

void db_write_rows(world_t *world, statement_t *ask)
{
    transaction_t *transaction = db_find_transaction(world, ask->transaction);
    if (!transaction || ask->transaction == 0) { /* its connection has ended meanwhile */
        ask->outcome = DB_AWAY;
        return;
    }
    for (size_t i = 0; i < ask->count; i++)
        if (ask->items[i].took_result &&
            job_at(world, ask->items[i].job)->script == SCRIPT_UNACCEPTABLE)
            ask->outcome = DB_WAS_REFUSED;
    for (size_t i = 0; i < ask->count && ask->outcome == DB_OK; i++)
        if (ask->items[i].changed)
            change(world, &ask->items[i]);
    world->coverage->troubles[DB_REFUSED] += ask->outcome == DB_WAS_REFUSED;
    db_end_transaction(world, transaction);
}
void db_cancel(world_t *world, statement_t *ask)
{
    item_t *item = &ask->items[0];
    record_t *record = &world->database->records[item->job];
    item->exists = record->exists;
    if (!record->exists)
        return;
    pt_transition_t transition = pt_job_transition(record->row.state, PT_FACT_CANCELED);
    world->coverage->rows[record->row.state][PT_FACT_CANCELED]++;
    item->attempt = record->row.attempt;
    item->changed = transition.event != NULL;
    if (!item->changed)
        return;
    item->row = record->row;
    item->row.state = transition.next;
    int64_t least = item->row.started_at ? item->row.started_at : item->row.created_at;
    item->row.completed_at = db_now(world) > least ? db_now(world) : least;
    item->event = (pt_event_t){.type = transition.event,
                               .status = pt_state_status(transition.next),
                               .attempt = record->row.attempt,
                               .at = item->row.completed_at};
    change(world, item);
}
