#include "gateway/record/registrar.h"

#include "gateway/api/resources.h"
#include "gateway/database/array.h"

#include "proto/options_schema.h"
#include "proto/program/grumble.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <czmq.h>
#include <stdatomic.h>

#define QUEUE_MAX 64 /* declarations, at most 64 KiB each */
#define KNOWN_MAX                                                                                  \
    256 /* job types whose declaration is remembered, so that it is not written again */
#define STATEMENT_MS 3000
#define PAUSE_MS 500 /* after a statement that failed */

typedef struct {
    char job_type[PT_TYPE_MAX];
    char machine[PT_NAME_MAX];
    pt_uuid_t instance;
    void *payload; /* owned */
    size_t size;
} said_t;

struct pt_registrar {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    said_t queue[QUEUE_MAX]; /* a ring */
    size_t head, queued;
    zhashx_t *known; /* job type → the payload that was judged last and is in the table, a zchunk */
    bool stop, active;
    pthread_t thread;
    pt_pool_t *pool;
    pt_grumble_t *grumble; /* the thread's own */
    zhashx_t *outdated;    /* the thread's own: which worker was said to be behind, in which type */
    _Atomic uint64_t recorded, refused;
};

/* Changes nothing, and wakes nobody, if what stands is newer or the same. Answers with the version
   that stood, whether this one was written, and whether what stood is newer. */
static const pt_sql_t sql_declare = {
    "declare_job_type",
    "with stood as materialized (select version from declarations where job_type = $1),"
    " written as (insert into declarations as d (job_type, title, version, options_schema, wants)"
    " values ($1, $2, $3::text, $4::json, $5::text[])"
    " on conflict (job_type) do update set title = excluded.title, version = excluded.version,"
    " options_schema = excluded.options_schema, wants = excluded.wants, declared_at = now()"
    " where string_to_array(d.version, '.')::int[] < string_to_array(excluded.version, '.')::int[]"
    " or (d.version = excluded.version and (d.title, d.options_schema::text, d.wants)"
    "     is distinct from (excluded.title, excluded.options_schema::text, excluded.wants))"
    " returning 1)"
    " select s.version, exists (select 1 from written), coalesce(string_to_array(s.version, "
    "'.')::int[]"
    "   > string_to_array($3::text, '.')::int[], false)"
    " from (select 1) one left join stood s on true"};

/* Whether a type that is not one of the project's may be there: others are handed out, counted and
   listed by tables of PT_TYPES_MAX places. */
static const pt_sql_t sql_has_place = {
    "has_place", "select count(*) filter (where job_type = $1) > 0 or count(*) < $3::integer"
                 " from declarations where job_type = $1 or job_type <> all ($2::text[])"};

/* ---- the rules --------------------------------------------------------------------------- */

static bool check_schema(const pt_declared_t *declaration, char why[PT_REGISTRAR_WHY])
{
    json_error_t error;
    pt_options_error_t fault;
    json_t *schema =
        json_loadb(declaration->schema, declaration->schema_size, JSON_REJECT_DUPLICATES, &error);
    if (!schema) {
        snprintf(why, PT_REGISTRAR_WHY, "options_schema is no JSON: line %d: %.160s", error.line,
                 error.text);
        return false;
    }
    bool is_schema = pt_options_schema_check(schema, &fault);
    json_decref(schema);
    if (!is_schema)
        snprintf(why, PT_REGISTRAR_WHY, "options_schema is not understood: %s: %s", fault.pointer,
                 fault.message);
    return is_schema;
}

bool pt_registrar_check(pt_declared_t *declaration, const void *payload, size_t size,
                        char why[PT_REGISTRAR_WHY])
{
    const char *fault = pt_declared_read(declaration, payload, size);
    if (!fault)
        return check_schema(declaration, why);
    snprintf(why, PT_REGISTRAR_WHY, "%s", fault);
    return false;
}

/* ---- the queue --------------------------------------------------------------------------- */

static void drop_queue(pt_registrar_t *self)
{
    for (; self->queued > 0; self->queued--) {
        free(self->queue[self->head].payload);
        self->head = (self->head + 1) % QUEUE_MAX;
    }
}

static bool same(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

/* Many workers say the same, each of them several times. */
static bool is_known(pt_registrar_t *self, const said_t *said)
{
    zchunk_t *known = zhashx_lookup(self->known, said->job_type);
    if (known && same(zchunk_data(known), zchunk_size(known), said->payload, said->size))
        return true;
    for (size_t i = 0; i < self->queued; i++) {
        const said_t *other = &self->queue[(self->head + i) % QUEUE_MAX];
        if (strcmp(other->job_type, said->job_type) == 0 &&
            pt_uuid_equal(&other->instance, &said->instance) &&
            same(other->payload, other->size, said->payload, said->size))
            return true;
    }
    return false;
}

bool pt_registrar_take(pt_registrar_t *self, const pt_msg_t *msg, const void *payload, size_t size)
{
    if (pt_msg_check_payload(msg, payload, size))
        return false;
    said_t said = {.instance = msg->instance, .size = size, .payload = (void *)(uintptr_t)payload};
    pt_job_type_copy(said.job_type, msg->job_type);
    snprintf(said.machine, sizeof said.machine, "%s", msg->machine);
    pthread_mutex_lock(&self->lock);
    if (self->active && self->queued < QUEUE_MAX && !is_known(self, &said)) {
        said.payload = zmalloc(size);
        memcpy(said.payload, payload, size);
        self->queue[(self->head + self->queued++) % QUEUE_MAX] = said;
        pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->lock);
    return true;
}

void pt_registrar_set_active(pt_registrar_t *self, bool active)
{
    pthread_mutex_lock(&self->lock);
    self->active = active;
    zhashx_purge(self->known);
    if (!active)
        drop_queue(self);
    pthread_mutex_unlock(&self->lock);
}

void pt_registrar_settings(pt_registrar_t *self)
{
    pthread_mutex_lock(&self->lock);
    zhashx_purge(self->known);
    pthread_mutex_unlock(&self->lock);
}

static bool take_next(pt_registrar_t *self, said_t *said)
{
    pthread_mutex_lock(&self->lock);
    while (self->queued == 0 && !self->stop)
        pthread_cond_wait(&self->wake, &self->lock);
    bool any = self->queued > 0;
    if (any) {
        *said = self->queue[self->head];
        self->head = (self->head + 1) % QUEUE_MAX;
        self->queued--;
    }
    pthread_mutex_unlock(&self->lock);
    return any;
}

/* ---- the thread -------------------------------------------------------------------------- */

static void refuse(pt_registrar_t *self, const said_t *said, const char *why)
{
    char worker[PT_UUID_TEXT];
    pt_uuid_format(&said->instance, worker);
    if (pt_grumble(self->grumble, pt_clock_ms(), worker))
        pt_log(PT_WARNING, "a worker declares what is not acceptable",
               PT_S("worker", said->machine), PT_S("instance", worker),
               PT_S("job_type", said->job_type), PT_S("why", why));
    atomic_fetch_add(&self->refused, 1); /* who sees it counted finds its reason in the log */
}

/* `before` is the version that stood; NULL: none did. */
static void report(pt_registrar_t *self, const said_t *said, const pt_declared_t *declaration,
                   const char *before)
{
    atomic_fetch_add(&self->recorded, 1);
    if (!before || strcmp(before, declaration->version) != 0)
        pt_log(PT_INFO, "a job type was declared", PT_S("job_type", said->job_type),
               PT_S("title", declaration->title), PT_S("version", declaration->version));
    else if (pt_grumble(self->grumble, pt_clock_ms(), said->job_type))
        pt_log(PT_WARNING,
               "workers declare different things under one version; the last one counts",
               PT_S("job_type", said->job_type), PT_S("version", declaration->version),
               PT_S("worker", said->machine));
}

/* As after a rollback. It says so every half minute; the log once. */
static void report_outdated(pt_registrar_t *self, const said_t *said, const char *version,
                            const char *stands)
{
    char worker[PT_UUID_TEXT], which[PT_UUID_TEXT + PT_TYPE_MAX];
    pt_uuid_format(&said->instance, worker);
    snprintf(which, sizeof which, "%s %s", worker, said->job_type);
    if (zhashx_size(self->outdated) >= KNOWN_MAX)
        zhashx_purge(self->outdated);
    if (zhashx_insert(self->outdated, which, "") == 0)
        pt_log(
            PT_WARNING,
            "a worker declares an older version than another one did, which goes on to count; to "
            "go back to the older one: paratope-gateway admin forget TYPE",
            PT_S("job_type", said->job_type), PT_S("version", version), PT_S("counts", stands),
            PT_S("worker", said->machine), PT_S("instance", worker));
}

static char *wants_of(const pt_declared_t *declaration)
{
    pt_array_t array = {0};
    for (size_t i = 0; i < declaration->want_count; i++)
        pt_array_text(&array, declaration->wants[i]);
    pt_array_end(&array);
    return array.text; /* the caller's */
}

static bool store(pt_registrar_t *self, const said_t *said, const pt_declared_t *declaration)
{
    PGresult *rows = NULL;
    char *schema = strndup(declaration->schema, declaration->schema_size);
    char *wants = wants_of(declaration);
    const char *const params[] = {said->job_type, declaration->title, declaration->version, schema,
                                  wants};
    pt_pg_outcome_t outcome = pt_pool_run(self->pool, &sql_declare, params, 5, STATEMENT_MS, &rows);
    if (outcome == PT_PG_OK && *PQgetvalue(rows, 0, 1) == 't')
        report(self, said, declaration, pt_pg_text(rows, 0, 0));
    else if (outcome == PT_PG_OK && *PQgetvalue(rows, 0, 2) == 't')
        report_outdated(self, said, declaration->version, PQgetvalue(rows, 0, 0));
    PQclear(rows);
    free(schema);
    free(wants);
    return outcome == PT_PG_OK;
}

/* True too if the database does not say: then it does not store it either. */
static bool has_place(pt_registrar_t *self, const char *job_type)
{
    PGresult *rows = NULL;
    pt_array_t ours = {0};
    char most[16];
    if (pt_resource_of_type(job_type))
        return true;
    for (size_t i = 0; i < pt_resource_count; i++)
        pt_array_text(&ours, pt_resources[i].job_type);
    snprintf(most, sizeof most, "%zu", PT_TYPES_MAX - pt_resource_count);
    const char *const params[] = {job_type, pt_array_end(&ours), most};
    bool has =
        pt_pool_run(self->pool, &sql_has_place, params, 3, STATEMENT_MS, &rows) != PT_PG_OK ||
        *PQgetvalue(rows, 0, 0) == 't';
    PQclear(rows);
    pt_array_clear(&ours);
    return has;
}

static void know(pt_registrar_t *self, const said_t *said)
{
    pthread_mutex_lock(&self->lock);
    if (zhashx_size(self->known) >= KNOWN_MAX)
        zhashx_purge(self->known);
    zhashx_update(self->known, said->job_type, zchunk_new(said->payload, said->size));
    pthread_mutex_unlock(&self->lock);
}

static void judge(pt_registrar_t *self, const said_t *said)
{
    pt_declared_t declaration;
    char why[PT_REGISTRAR_WHY];
    if (!pt_registrar_check(&declaration, said->payload, said->size, why)) {
        refuse(self, said, why);
        return;
    }
    if (!has_place(self, said->job_type)) {
        refuse(self, said,
               "there are as many job types of operators' own as there may be:"
               " paratope-gateway admin forget TYPE what nobody needs any more");
        return;
    }
    if (store(self, said, &declaration)) {
        know(self, said);
        return;
    }
    pt_log(PT_WARNING, "a declaration could not be recorded", PT_S("job_type", said->job_type));
    usleep(PAUSE_MS * 1000);
}

static void *run(void *arg)
{
    pt_registrar_t *self = arg;
    said_t said;
    while (take_next(self, &said)) {
        judge(self, &said);
        free(said.payload);
    }
    return NULL;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static void free_chunk(void **item)
{
    zchunk_destroy((zchunk_t **)item);
}

pt_registrar_t *pt_registrar_new(pt_pool_t *pool)
{
    pt_registrar_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->known = zhashx_new();
    zhashx_set_destructor(self->known, free_chunk);
    self->pool = pool;
    self->grumble = pt_grumble_new();
    self->outdated = zhashx_new();
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_registrar_destroy(pt_registrar_t **self_p)
{
    pt_registrar_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    drop_queue(self);
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pt_grumble_destroy(&self->grumble);
    zhashx_destroy(&self->outdated);
    zhashx_destroy(&self->known);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

pt_registrar_counts_t pt_registrar_counts(pt_registrar_t *self)
{
    return (pt_registrar_counts_t){atomic_load(&self->recorded), atomic_load(&self->refused)};
}
