#include "gateway/results/table_csv.h"

#include "gateway/results/real.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 256
#define DEPTH_MAX 8

static const char *const own[] = {"name",   "variant_id", "job_id",
                                  "status", "error_code", "error_message"};
#define OWN (sizeof own / sizeof *own)

struct pt_table {
    const char *list; /* borrowed */
    json_t *places;   /* path → place among the columns */
    char **paths;     /* owned, in order */
    size_t count, room;
};

pt_table_t *pt_table_new(const char *list)
{
    pt_table_t *self = calloc(1, sizeof *self);
    assert(self);
    self->list = list;
    self->places = json_object();
    return self;
}

void pt_table_destroy(pt_table_t **self_p)
{
    pt_table_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->paths[i]);
    free(self->paths);
    json_decref(self->places);
    free(self);
    *self_p = NULL;
}

/* ---- walking through a result ------------------------------------------------------------ */

/* Told of each value that fits into a cell. */
typedef void visit_t(void *context, const char *path, const json_t *value);

static bool is_plain(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

/* An empty list may be one of objects, so it is none. */
static bool is_plain_list(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!is_plain(json_array_get(list, i)))
            return false;
    return json_array_size(list) > 0;
}

/* `path` with one key more; false: it does not fit. A dot within the key is no dot between two. */
static bool step(char at[PATH_MAX_BYTES], const char *path, const char *key)
{
    int size = snprintf(at, PATH_MAX_BYTES, "%s%s", path, *path ? "." : "");
    size_t used = size > 0 ? (size_t)size : 0;
    for (; *key && used + 2 < PATH_MAX_BYTES; key++) {
        if (*key == '.' || *key == '\\')
            at[used++] = '\\';
        at[used++] = *key;
    }
    if (used < PATH_MAX_BYTES)
        at[used] = 0;
    return !*key && used < PATH_MAX_BYTES;
}

static void walk(const json_t *value, const char *path, int depth, visit_t *visit, void *context)
{
    const char *key;
    json_t *member, *object = (json_t *)(uintptr_t)value; /* jansson's loop knows no const */
    if (is_plain(value) || is_plain_list(value)) {
        visit(context, *path ? path : "result", value);
        return;
    }
    if (!json_is_object(value) || json_object_size(value) > PT_TABLE_MAP_MAX || depth == DEPTH_MAX)
        return;
    json_object_foreach(object, key, member)
    {
        char at[PATH_MAX_BYTES];
        if (step(at, path, key))
            walk(member, at, depth + 1, visit, context);
    }
}

/* The list whose items are rows; NULL: there is none, and all of it is one row. */
static const json_t *rows_of(const pt_table_t *self, const json_t *results)
{
    const json_t *list = self->list ? json_object_get(results, self->list) : results;
    return json_is_object(json_array_get(list, 0)) ? list : NULL;
}

static size_t row_count(const pt_table_t *self, const json_t *results)
{
    const json_t *list = rows_of(self, results);
    return list ? json_array_size(list) : 1;
}

/* What stands around the list is the same in each of its rows. */
static void walk_row(const pt_table_t *self, const json_t *results, size_t i, visit_t *visit,
                     void *context)
{
    const json_t *list = rows_of(self, results);
    if (list != results)
        walk(results, "", 0, visit, context);
    if (list)
        walk(json_array_get(list, i), self->list ? self->list : "", 0, visit, context);
}

/* ---- columns ----------------------------------------------------------------------------- */

static void learn(void *context, const char *path, const json_t *value)
{
    pt_table_t *self = context;
    (void)value;
    if (self->count == PT_TABLE_COLUMNS_MAX || json_object_get(self->places, path))
        return;
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 64;
        self->paths = realloc(self->paths, self->room * sizeof *self->paths);
        assert(self->paths);
    }
    self->paths[self->count] = strdup(path);
    json_object_set_new(self->places, path, json_integer((json_int_t)self->count++));
}

void pt_table_learn(pt_table_t *self, const json_t *results)
{
    for (size_t i = 0; i < row_count(self, results); i++)
        walk_row(self, results, i, learn, self);
}

/* ---- cells ------------------------------------------------------------------------------- */

/* Of nothing msgpack makes a copy to where there is no buffer yet. */
static void put_bytes(msgpack_sbuffer *to, const char *text, size_t size)
{
    int failed = size > 0 ? msgpack_sbuffer_write(to, text, size) : 0;
    assert(!failed);
}

static void put(msgpack_sbuffer *to, const char *text)
{
    put_bytes(to, text, strlen(text));
}

static void write_quoted(msgpack_sbuffer *to, const char *text)
{
    put(to, "\"");
    for (const char *quote; (quote = strchr(text, '"')); text = quote + 1) {
        put_bytes(to, text, (size_t)(quote - text));
        put(to, "\"\"");
    }
    put(to, text);
    put(to, "\"");
}

/* Of a person or a pipeline, so it may be anything. */
static void write_text(msgpack_sbuffer *to, const char *text)
{
    char *harmless = NULL;
    if (*text && strchr("=+-@\t\r", *text)) {
        int size = asprintf(&harmless, "'%s", text);
        assert(size > 0);
        text = harmless;
    }
    if (strpbrk(text, ",\"\r\n"))
        write_quoted(to, text);
    else
        put(to, text);
    free(harmless);
}

/* A plain value as text; strings as they are. `number` has room for the others. */
static const char *text_of(const json_t *value, char number[PT_REAL_TEXT])
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_string_value(value);
    case JSON_INTEGER:
        snprintf(number, PT_REAL_TEXT, "%lld", (long long)json_integer_value(value));
        return number;
    case JSON_REAL:
        return pt_real_text(json_real_value(value), number);
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    default:
        return "";
    }
}

static void write_list(msgpack_sbuffer *to, const json_t *list)
{
    char number[PT_REAL_TEXT];
    msgpack_sbuffer all;
    msgpack_sbuffer_init(&all);
    for (size_t i = 0; i < json_array_size(list); i++) {
        put(&all, i ? ";" : "");
        put(&all, text_of(json_array_get(list, i), number));
    }
    put_bytes(&all, "", 1);
    write_text(to, all.data);
    msgpack_sbuffer_destroy(&all);
}

static void write_cell(msgpack_sbuffer *to, const json_t *value)
{
    char number[PT_REAL_TEXT];
    if (json_is_array(value))
        write_list(to, value);
    else if (json_is_string(value))
        write_text(to, json_string_value(value));
    else if (value)
        put(to, text_of(value, number));
}

/* ---- rows -------------------------------------------------------------------------------- */

typedef struct {
    const pt_table_t *table;
    const json_t **cells; /* one for each column */
    json_t *other;        /* what has no column */
} row_t;

static void fill(void *context, const char *path, const json_t *value)
{
    row_t *row = context;
    const json_t *place = json_object_get(row->table->places, path);
    if (place)
        row->cells[json_integer_value(place)] = value;
    else
        json_object_set(row->other, path, (json_t *)(uintptr_t)value);
}

static void write_own(const pt_table_job_t *job, msgpack_sbuffer *to)
{
    const char *const cells[OWN] = {job->name,   job->variant_id, job->job_id,
                                    job->status, job->error_code, job->error_message};
    for (size_t i = 0; i < OWN; i++) {
        put(to, i ? "," : "");
        write_text(to, cells[i] ? cells[i] : "");
    }
}

static void write_row(const pt_table_t *self, const pt_table_job_t *job, const json_t *results,
                      size_t i, const char *other, msgpack_sbuffer *to)
{
    row_t row = {self, calloc(self->count + 1, sizeof *row.cells), json_object()};
    assert(row.cells);
    if (results)
        walk_row(self, results, i, fill, &row);
    write_own(job, to);
    for (size_t column = 0; column < self->count; column++) {
        put(to, ",");
        write_cell(to, row.cells[column]);
    }
    char *rest = json_object_size(row.other) > 0 ? json_dumps(row.other, JSON_COMPACT) : NULL;
    put(to, ",");
    write_text(to, rest ? rest : other ? other : "");
    put(to, "\r\n");
    free(rest);
    json_decref(row.other);
    free(row.cells);
}

size_t pt_table_rows(const pt_table_t *self, const pt_table_job_t *job, const json_t *results,
                     size_t from, const char *other, msgpack_sbuffer *to)
{
    size_t i = from, count = row_count(self, results);
    do {
        write_row(self, job, results, i++, other, to);
    } while (i < count && to->size < PT_TABLE_PIECE);
    return i < count ? i : 0;
}

/* Whether the path needs `results.` before it, to be another than the job's own columns, and than
   what a result has under a key `results`. */
static bool is_own(const char *path)
{
    for (size_t i = 0; i < OWN; i++)
        if (strcmp(own[i], path) == 0)
            return true;
    return strcmp(path, "other") == 0 || strncmp(path, "results.", strlen("results.")) == 0;
}

void pt_table_header(const pt_table_t *self, msgpack_sbuffer *to)
{
    for (size_t i = 0; i < OWN; i++) {
        put(to, i ? "," : "");
        put(to, own[i]);
    }
    for (size_t i = 0; i < self->count; i++) {
        char path[PATH_MAX_BYTES + 8];
        snprintf(path, sizeof path, "%s%s", is_own(self->paths[i]) ? "results." : "",
                 self->paths[i]);
        put(to, ",");
        write_text(to, path);
    }
    put(to, ",other\r\n");
}
