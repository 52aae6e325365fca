#include "gateway/record/batch.h"

#include "gateway/database/array.h"

#include <czmq.h>
#include <jansson.h>

/* ---- the items --------------------------------------------------------------------------- */

/* By job, then by arrival: items come in an array in order of arrival, so the address tells. */
static int by_job(const void *a, const void *b)
{
    const pt_item_t *left = a, *right = b;
    int order = pt_uuid_compare(&left->fact.said.job_id, &right->fact.said.job_id);
    return order ? order : (left->seq > right->seq) - (left->seq < right->seq);
}

void pt_item_refuse(pt_item_t *item, const char *why)
{
    pt_said_fact_t *said = &item->fact.said;
    item->refusal = why;
    said->refused = true;
    said->completed = false;
    strcpy(said->code, "invalid_result");
    snprintf(said->message, sizeof said->message, "the pipeline's result cannot be stored: %s",
             why);
}

static void check_ending(pt_item_t *item)
{
    pt_said_fact_t *said = &item->fact.said;
    if (said->said != PT_SAID_ENDING)
        return;
    if (said->completed) {
        const char *why =
            item->fact.payload
                ? pt_render_result(item->fact.payload, item->fact.payload_size, &item->result)
                : "it has no payload";
        if (why)
            pt_item_refuse(item, why);
    } else if (!said->code[0] || !said->message[0]) {
        pt_item_refuse(item, "it failed without a reason");
    } else if (item->fact.payload && !said->refused) {
        pt_render_partial(item->fact.payload, item->fact.payload_size, &item->result);
    }
}

void pt_batch_init(pt_batch_t *self, pt_item_t *items, size_t count)
{
    memset(self, 0, sizeof *self);
    self->items = items;
    self->count = count;
    for (size_t i = 0; i < count; i++)
        items[i].seq = i; /* the arrival, until the event has its number */
    qsort(items, count, sizeof *items, by_job);
    for (size_t i = 0; i < count; i++) {
        check_ending(&items[i]);
        if (i == 0 || !pt_uuid_equal(&items[i].fact.said.job_id, &items[i - 1].fact.said.job_id))
            pt_array_uuid(&self->ids, &items[i].fact.said.job_id);
    }
    pt_array_end(&self->ids);
}

void pt_batch_clear(pt_batch_t *self)
{
    free(self->rows);
    pt_array_clear(&self->ids);
    for (size_t i = 0; i < sizeof self->update / sizeof *self->update; i++)
        pt_array_clear(&self->update[i]);
    for (size_t i = 0; i < sizeof self->results / sizeof *self->results; i++)
        pt_array_clear(&self->results[i]);
    for (size_t i = 0; i < sizeof self->events / sizeof *self->events; i++)
        pt_array_clear(&self->events[i]);
    memset(self, 0, sizeof *self);
}

/* ---- the rows ---------------------------------------------------------------------------- */

static int64_t read_number(const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) ? 0 : strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

static void read_row(pt_row_t *row, const PGresult *rows, int i)
{
    memset(row, 0, sizeof *row);
    pt_uuid_parse(&row->job_id, PQgetvalue(rows, i, 0), PT_UUID_TEXT - 1);
    pt_uuid_parse(&row->org_id, PQgetvalue(rows, i, 1), PT_UUID_TEXT - 1);
    snprintf(row->job_type, sizeof row->job_type, "%s", PQgetvalue(rows, i, 2));
    row->state = pt_state_of(PQgetvalue(rows, i, 3), *PQgetvalue(rows, i, 4) == 't');
    row->attempt = (uint32_t)read_number(rows, i, 5);
    row->tries = (uint32_t)read_number(rows, i, 6);
    row->losses = (uint32_t)read_number(rows, i, 7);
    row->created_at = read_number(rows, i, 8);
    row->started_at = read_number(rows, i, 9);
    snprintf(row->step, sizeof row->step, "%s", PQgetvalue(rows, i, 10));
    row->fraction = PQgetisnull(rows, i, 11) ? -1 : strtod(PQgetvalue(rows, i, 11), NULL);
}

/* ---- what is to be written --------------------------------------------------------------- */

static void put_time(pt_array_t *array, int64_t at)
{
    char text[PT_TIME_TEXT];
    pt_array_text(array, at ? pt_time_format(at, text) : NULL);
}

static void put_double(pt_array_t *array, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", number);
    pt_array_text(array, number >= 0 ? text : NULL);
}

static void put_optional(pt_array_t *array, const char *text)
{
    pt_array_text(array, *text ? text : NULL);
}

/* `partial`: what it had reached as it failed, or NULL. */
static void put_row(pt_batch_t *self, const pt_row_t *row, const char *partial)
{
    pt_array_t *to = self->update;
    self->changed++;
    pt_array_uuid(&to[0], &row->job_id);
    pt_array_text(&to[1], pt_state_status(row->state));
    pt_array_int(&to[2], row->attempt);
    pt_array_int(&to[3], row->tries);
    pt_array_int(&to[4], row->losses);
    if (row->state == PT_WAITING)
        pt_array_int(&to[5], row->due_in_us);
    else
        pt_array_text(&to[5], NULL);
    put_time(&to[6], row->started_at);
    put_time(&to[7], row->completed_at);
    put_optional(&to[8], row->step);
    put_double(&to[9], row->fraction);
    put_optional(&to[10], row->code);
    put_optional(&to[11], row->message);
    pt_array_text(&to[12], row->state == PT_FAILED ? partial : NULL);
}

/* The detail of an event as JSON text, or null. */
static void put_detail(pt_array_t *array, const pt_event_t *event)
{
    if (!event->has_progress && !event->has_reason) {
        pt_array_text(array, NULL);
        return;
    }
    json_t *detail = event->has_progress
                         ? json_pack("{s:s, s:f}", "step", event->step, "fraction", event->fraction)
                         : json_pack("{s:s, s:s}", "code", event->code, "message", event->message);
    char *text = json_dumps(detail, JSON_COMPACT | JSON_REAL_PRECISION(15));
    pt_array_text(array, text);
    free(text);
    json_decref(detail);
}

static void put_event(pt_batch_t *self, const pt_item_t *item)
{
    const pt_event_t *event = &item->fold.event;
    pt_array_t *to = self->events;
    self->event_count++;
    pt_array_uuid(&to[0], &item->row->job_id);
    pt_array_uuid(&to[1], &item->row->org_id);
    pt_array_text(&to[2], item->row->job_type);
    pt_array_text(&to[3], event->type);
    pt_array_text(&to[4], event->status);
    pt_array_int(&to[5], event->attempt);
    put_time(&to[6], event->at);
    put_detail(&to[7], event);
}

static void put_result(pt_batch_t *self, const pt_item_t *item)
{
    if (item->fact.payload_size > PT_PAYLOAD_MAX) {
        assert(self->large_count < PT_BATCH_LARGE_MAX);
        self->large[self->large_count++] = item;
        return;
    }
    self->result_count++;
    pt_array_uuid(&self->results[0], &item->row->job_id);
    pt_array_text(&self->results[1], item->result.results);
    pt_array_text(&self->results[2], item->result.model_versions);
    pt_array_text(&self->results[3], item->result.files);
}

static void end_arrays(pt_array_t *arrays, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pt_array_end(&arrays[i]);
}

/* ---- folding ----------------------------------------------------------------------------- */

static bool fold_item(pt_batch_t *self, size_t i, pt_row_t *row, int64_t now,
                      const pt_patiences_t *patiences)
{
    pt_item_t *item = &self->items[i];
    item->row = row;
    const pt_fact_t *next = i + 1 < self->count ? &self->items[i + 1].fact : NULL;
    item->fate = pt_judge(row, &item->fact, next, now, pt_patience_of(patiences, row->job_type),
                          &item->fold);
    if (item->fold.changed)
        put_event(self, item);
    if (item->fold.took_result)
        put_result(self, item);
    return item->fold.changed;
}

/* All facts about the job of one row of the answer, from the item `next` on; returns the first item
   of the next job. */
static size_t fold_job(pt_batch_t *self, size_t next, const PGresult *rows, int r,
                       const pt_patiences_t *patiences)
{
    pt_row_t *row = &self->rows[r];
    bool exists = !PQgetisnull(rows, r, 1), locked = !PQgetisnull(rows, r, 3);
    const pt_item_t *changed =
        NULL; /* the last item that changed it: nothing changes an ended one */
    if (locked)
        read_row(row, rows, r);
    else
        pt_uuid_parse(&row->job_id, PQgetvalue(rows, r, 0), PT_UUID_TEXT - 1);
    for (; next < self->count && pt_uuid_equal(&self->items[next].fact.said.job_id, &row->job_id);
         next++) {
        if (locked && fold_item(self, next, row, read_number(rows, r, 12), patiences))
            changed = &self->items[next];
        if (!locked)
            self->items[next].fate = exists ? PT_ITEM_HELD : PT_ITEM_UNKNOWN;
    }
    if (changed)
        put_row(self, row, changed->result.partial);
    return next;
}

void pt_batch_fold(pt_batch_t *self, const PGresult *rows, const pt_patiences_t *patiences)
{
    size_t next = 0;
    self->row_count = (size_t)PQntuples(rows);
    self->rows = zmalloc((self->row_count + 1) * sizeof *self->rows);
    for (size_t r = 0; r < self->row_count; r++)
        next = fold_job(self, next, rows, (int)r, patiences);
    assert(next == self->count); /* a row for each id */
    end_arrays(self->update, sizeof self->update / sizeof *self->update);
    end_arrays(self->results, sizeof self->results / sizeof *self->results);
    end_arrays(self->events, sizeof self->events / sizeof *self->events);
}

void pt_batch_number(pt_batch_t *self, const PGresult *numbers)
{
    int row = 0;
    for (size_t i = 0; i < self->count && row < PQntuples(numbers); i++)
        if (self->items[i].fold.changed)
            self->items[i].seq = strtoull(PQgetvalue(numbers, row++, 1), NULL, 10);
}
