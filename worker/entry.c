#include "worker/entry.h"

#include "proto/declared.h"
#include "proto/options_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[PT_ENTRY_KEYS] = {
    [PT_ENTRY_PROGRAM] = "program",   [PT_ENTRY_ARGUMENTS] = "arguments",
    [PT_ENTRY_ARGUMENT] = "argument", [PT_ENTRY_SLOTS] = "slots",
    [PT_ENTRY_LIMITS] = "limits",     [PT_ENTRY_TIMEOUT] = "timeout",
    [PT_ENTRY_OPTIONS] = "options",   [PT_ENTRY_TITLE] = "title",
    [PT_ENTRY_VERSION] = "version",   [PT_ENTRY_WANTS] = "wants"};

void pt_worker_refuse(const char *what, const char *which)
{
    fprintf(stderr, "paratope-worker: %s: %s\n", what, which);
    exit(2);
}

/* ---- TYPE.KEY=VALUE ---------------------------------------------------------------------- */

static pt_entry_t *find(pt_entry_t *entries, size_t *count, const char *text, size_t size)
{
    for (size_t i = 0; i < *count; i++)
        if (strlen(entries[i].job_type) == size && memcmp(entries[i].job_type, text, size) == 0)
            return &entries[i];
    if (*count == PT_TYPES_MAX)
        pt_worker_refuse("too many job types", text);
    pt_entry_t *entry = &entries[(*count)++];
    memset(entry, 0, sizeof *entry);
    memcpy(entry->job_type, text, size);
    return entry;
}

static const char **value_of(pt_entry_t *self, const char *key, size_t size)
{
    for (int i = 0; i < PT_ENTRY_KEYS; i++)
        if (strlen(keys[i]) == size && memcmp(keys[i], key, size) == 0)
            return &self->values[i];
    return NULL;
}

static void add_argument(pt_entry_t *self, const char *argument)
{
    if (self->argument_count == PT_ARGUMENTS_MAX)
        pt_worker_refuse("too many arguments", self->job_type);
    self->argument[self->argument_count++] = argument;
}

static void check(const pt_entry_t *self)
{
    bool arguments = self->values[PT_ENTRY_ARGUMENTS] || self->argument_count > 0;
    if (!self->values[PT_ENTRY_PROGRAM] && arguments)
        pt_worker_refuse("arguments without a program", self->job_type);
    if (!self->values[PT_ENTRY_OPTIONS] &&
        (self->values[PT_ENTRY_TITLE] || self->values[PT_ENTRY_VERSION] ||
         self->values[PT_ENTRY_WANTS]))
        pt_worker_refuse("title, version and wants come with options, a file", self->job_type);
}

size_t pt_entries_read(pt_entry_t entries[PT_TYPES_MAX], const pt_options_t *options)
{
    const char *text;
    size_t count = 0;
    for (size_t n = 0; (text = pt_options_nth(options, "pipelines", n)); n++) {
        size_t type = strcspn(text, ".="), key = strcspn(text, "=");
        if (text[type] != '.' || text[key] != '=' || !pt_job_type_valid(text, type))
            pt_worker_refuse("not JOB_TYPE.KEY=VALUE", text);
        pt_entry_t *entry = find(entries, &count, text, type);
        const char **value = value_of(entry, text + type + 1, key - type - 1);
        if (!value)
            pt_worker_refuse("unknown key of a job type in pipelines", text);
        if (!text[key + 1])
            pt_worker_refuse("a value is missing", text);
        *value = text + key + 1;
        if (value == &entry->values[PT_ENTRY_ARGUMENT])
            add_argument(entry, *value);
    }
    for (size_t i = 0; i < count; i++)
        check(&entries[i]);
    return count;
}

/* ---- what it declares -------------------------------------------------------------------- */

/* The whole file, ended by a NUL. */
static char *read_schema(const char *path, size_t *size)
{
    char *text = malloc(PT_SCHEMA_MAX + 2);
    FILE *file = fopen(path, "r");
    if (!file || !text)
        pt_worker_refuse(strerror(errno), path);
    *size = fread(text, 1, PT_SCHEMA_MAX + 1, file);
    if (ferror(file))
        pt_worker_refuse(strerror(errno), path);
    fclose(file);
    if (*size > PT_SCHEMA_MAX)
        pt_worker_refuse("a schema has at most 32 KiB", path);
    text[*size] = 0;
    return text;
}

/* As a gateway will take it; else the operator hears of it now. Returns the schema's own title, to
   be freed, or NULL. */
static char *check_schema(const char *path, const char *text, size_t size)
{
    char where[600];
    json_error_t error;
    pt_options_error_t fault;
    json_t *schema = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!schema) {
        snprintf(where, sizeof where, "%s, line %d: %s", path, error.line, error.text);
        pt_worker_refuse("no JSON", where);
    }
    if (!pt_options_schema_check(schema, &fault)) {
        snprintf(where, sizeof where, "%.200s, %s: %s", path, fault.pointer, fault.message);
        pt_worker_refuse("no schema of options", where);
    }
    const char *own = json_string_value(json_object_get(schema, "title"));
    char *title = own ? strdup(own) : NULL;
    json_decref(schema);
    return title;
}

static void set_title(pt_declared_t *declaration, const char *title)
{
    size_t size = strlen(title);
    if (size == 0 || size > PT_TITLE_MAX || !pt_text_valid(title, size))
        pt_worker_refuse("a title has 1 to 100 bytes", title);
    memcpy(declaration->title, title, size + 1);
}

static void set_wants(pt_declared_t *declaration, const char *text)
{
    char word[PT_TYPE_MAX];
    for (size_t n = 0; text && pt_word(text, n, word, sizeof word); n++) {
        if (n == PT_TYPES_MAX || !pt_job_type_valid(word, strlen(word)))
            pt_worker_refuse("wants is a list of job types", text);
        memcpy(declaration->wants[declaration->want_count++], word, sizeof word);
    }
}

void pt_entry_declare(const pt_entry_t *self, pt_agent_type_t *type)
{
    const char *path = self->values[PT_ENTRY_OPTIONS], *title = self->values[PT_ENTRY_TITLE];
    const char *version = self->values[PT_ENTRY_VERSION];
    pt_declared_t declaration = {.want_count = 0};
    if (!path)
        return;
    char *text = read_schema(path, &declaration.schema_size);
    char *own = check_schema(path, text, declaration.schema_size);
    declaration.schema = text;
    set_title(&declaration, title ? title : own ? own : self->job_type);
    version = version ? version : "1.0.0";
    if (!pt_declared_set_version(&declaration, version, strlen(version)))
        pt_worker_refuse("a version is three numbers, such as 1.0.0", version);
    set_wants(&declaration, self->values[PT_ENTRY_WANTS]);
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    pt_declared_write(&declaration, &bytes);
    type->declared_size = bytes.size;
    type->declared = msgpack_sbuffer_release(&bytes);
    free(own);
    free(text);
}
