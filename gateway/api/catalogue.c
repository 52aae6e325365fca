#include "gateway/api/catalogue.h"

#include "gateway/store/results.h"
#include "proto/options_schema.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define READ_MS 3000

struct pt_declarations {
    pt_declaration_t *items;
    size_t count;
    int readers; /* under the catalogue's lock; the catalogue is one */
};

struct pt_catalogue {
    pthread_mutex_t lock;
    pt_pool_t *pool;
    pt_declarations_t *now; /* NULL: never read */
    bool stale;
};

pt_catalogue_t *pt_catalogue_new(pt_pool_t *pool)
{
    pt_catalogue_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    self->pool = pool;
    self->stale = true;
    return self;
}

static void let_go(pt_declarations_t *declarations)
{
    if (!declarations || --declarations->readers > 0)
        return;
    for (size_t i = 0; i < declarations->count; i++) {
        free(declarations->items[i].title);
        free(declarations->items[i].version);
        json_decref(declarations->items[i].schema);
    }
    free(declarations->items);
    free(declarations);
}

void pt_catalogue_destroy(pt_catalogue_t **self_p)
{
    pt_catalogue_t *self = *self_p;
    if (!self)
        return;
    let_go(self->now);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

void pt_catalogue_stale(pt_catalogue_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->stale = true;
    pthread_mutex_unlock(&self->lock);
}

/* ---- reading ----------------------------------------------------------------------------- */

static void read_row(pt_declarations_t *to, const PGresult *rows, int row)
{
    pt_declaration_t *declaration = &to->items[to->count];
    pt_options_error_t error;
    json_t *schema = json_loads(PQgetvalue(rows, row, 3), JSON_REJECT_DUPLICATES, NULL);
    if (!pt_options_schema_check(schema, &error)) { /* nobody could be told what is wrong */
        pt_log(PT_ERROR, "declared options cannot be checked",
               PT_S("job_type", PQgetvalue(rows, row, 0)), PT_S("pointer", error.pointer),
               PT_S("why", error.message));
        json_decref(schema);
        return;
    }
    pt_job_type_copy(declaration->job_type, PQgetvalue(rows, row, 0));
    declaration->title = strdup(PQgetvalue(rows, row, 1));
    declaration->version = strdup(PQgetvalue(rows, row, 2));
    assert(declaration->title && declaration->version);
    declaration->schema = schema;
    to->count++;
}

static pt_declarations_t *read_all(pt_pool_t *pool)
{
    PGresult *rows = NULL;
    if (pt_pool_run(pool, &pt_sql_declarations, NULL, 0, READ_MS, &rows) != PT_PG_OK) {
        PQclear(rows);
        return NULL;
    }
    pt_declarations_t *read = zmalloc(sizeof *read);
    read->items = zmalloc((size_t)(PQntuples(rows) + 1) * sizeof *read->items);
    read->readers = 1;
    for (int row = 0; row < PQntuples(rows); row++)
        read_row(read, rows, row);
    PQclear(rows);
    return read;
}

const pt_declarations_t *pt_catalogue_take(pt_catalogue_t *self)
{
    pthread_mutex_lock(&self->lock);
    if (self->stale || !self->now) {
        self->stale = false; /* before it is read: what changes meanwhile is read once more */
        pthread_mutex_unlock(&self->lock);
        pt_declarations_t *read = read_all(self->pool);
        pthread_mutex_lock(&self->lock);
        self->stale = self->stale || !read;
        if (read) {
            let_go(self->now);
            self->now = read;
        }
    }
    pt_declarations_t *taken = self->now;
    if (taken)
        taken->readers++;
    pthread_mutex_unlock(&self->lock);
    return taken;
}

void pt_catalogue_give_back(pt_catalogue_t *self, const pt_declarations_t *taken)
{
    pthread_mutex_lock(&self->lock);
    let_go((pt_declarations_t *)(uintptr_t)taken);
    pthread_mutex_unlock(&self->lock);
}

/* ---- looking up -------------------------------------------------------------------------- */

const pt_declaration_t *pt_declaration_at(const pt_declarations_t *self, size_t n)
{
    return self && n < self->count ? &self->items[n] : NULL;
}

const pt_declaration_t *pt_declaration_of(const pt_declarations_t *self, const char *job_type)
{
    for (size_t i = 0; self && i < self->count; i++)
        if (strcmp(self->items[i].job_type, job_type) == 0)
            return &self->items[i];
    return NULL;
}
