#include "gateway/admin/settings.h"

#include "gateway/admin/admin.h"
#include "gateway/database/array.h"
#include "gateway/store/admin.h"
#include "gateway/store/type_settings.h"
#include "proto/program/process.h"
#include "proto/wire.h"

#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 10000

/* ---- arguments --------------------------------------------------------------------------- */

/* What may follow `--name`; kind: number from min to max, organisation, job type, or any text. */
typedef struct {
    const char *name;
    enum { WHOLE, SECONDS, ORG, TYPE, TEXT } kind;
    double min, max;
    const char *value; /* NULL: not given */
} flag_t;

static bool is_number(const char *text, const flag_t *flag)
{
    char *end;
    double number = strtod(text, &end);
    return *text && !*end && number >= flag->min && number <= flag->max &&
           (flag->kind == SECONDS || strspn(text, "0123456789") == strlen(text));
}

static bool is_fit(const char *text, const flag_t *flag)
{
    pt_uuid_t ignored;
    switch (flag->kind) {
    case WHOLE:
    case SECONDS:
        return is_number(text, flag);
    case ORG:
        return pt_uuid_parse(&ignored, text, strlen(text));
    case TYPE:
        return pt_job_type_valid(text, strlen(text));
    default:
        return pt_text_valid(text, strlen(text));
    }
}

static void complain(const flag_t *flag, const char *value)
{
    if (flag->kind == WHOLE || flag->kind == SECONDS)
        fprintf(stderr, "%s: %s is no number from %g to %g\n", flag->name, value, flag->min,
                flag->max);
    else
        fprintf(stderr, "%s: %s is no %s\n", flag->name, value,
                flag->kind == ORG    ? "organisation's UUID"
                : flag->kind == TYPE ? "job type"
                                     : "text");
}

static bool check(const flag_t *flag, const char *value)
{
    bool fit = value && is_fit(value, flag);
    if (!fit)
        complain(flag, value ? value : "nothing");
    return fit;
}

/* `flags` ends with a name NULL. */
static bool read_flags(const char *const *arguments, flag_t *flags)
{
    for (; *arguments; arguments += 2) {
        flag_t *flag = flags;
        while (flag->name && strcmp(flag->name, *arguments) != 0)
            flag++;
        if (!flag->name) {
            fprintf(stderr, "%s is not known here\n", *arguments);
            return false;
        }
        if (!check(flag, arguments[1]))
            return false;
        flag->value = arguments[1];
    }
    return true;
}

/* ---- statements that answer a line ------------------------------------------------------- */

static int run(pt_pool_t *pool, const pt_sql_t *sql, const char *const *params, int count,
               const char *missing)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pool_run(pool, sql, params, count, DEADLINE_MS, &rows);
    int status = 0;
    if (outcome != PT_PG_OK)
        status = pt_admin_fail_outcome(outcome);
    else if (PQntuples(rows) == 0)
        status = pt_admin_fail(missing);
    else if (printf("%s\n", PQgetvalue(rows, 0, 0)) < 0 || fflush(stdout) != 0)
        status = pt_admin_fail("standard output does not take the answer");
    PQclear(rows);
    return status;
}

/* clang-format off */
#define TYPE_ROW(T)                                                                                \
    "json_build_object('job_type', " T "job_type, 'max_tries', " T "max_tries,"                    \
    " 'retry_after_seconds', trim_scale(extract(epoch from " T "retry_after)),"                    \
    " 'retry_most_seconds', trim_scale(extract(epoch from " T "retry_most)),"                      \
    " 'queue_timeout_seconds', trim_scale(extract(epoch from " T "queue_timeout)))"
#define LIMIT_ROW(L)                                                                               \
    "json_build_object('org_id', " L "org_id, 'job_type', " L "job_type, 'max_out', " L "max_out)"
#define SECONDS_OF(PARAMETER) PARAMETER "::double precision * interval '1 second'"

static const pt_sql_t sql_job_type = {
    "set_job_type",
    "insert into job_types as t (job_type, max_tries, retry_after, retry_most, queue_timeout) values"
    " ($1::text, coalesce($2::integer, " PT_MAX_TRIES "),"
    "  coalesce(" SECONDS_OF("$3") ", " PT_RETRY_AFTER "), coalesce(" SECONDS_OF("$4") ", " PT_RETRY_MOST "),"
    "  coalesce(" SECONDS_OF("$5") ", " PT_QUEUE_TIMEOUT "))"
    " on conflict (job_type) do update set max_tries = coalesce($2::integer, t.max_tries),"
    "  retry_after = coalesce(" SECONDS_OF("$3") ", t.retry_after),"
    "  retry_most = coalesce(" SECONDS_OF("$4") ", t.retry_most),"
    "  queue_timeout = coalesce(" SECONDS_OF("$5") ", t.queue_timeout)"
    " returning " TYPE_ROW("")};

static const pt_sql_t sql_limit = {
    "set_limit",
    "insert into limits (org_id, job_type, max_out) select $1::uuid, $2::text, $3::integer"
    " where $1::uuid is null or exists (select 1 from organisations where id = $1::uuid)"
    " on conflict (org_id, job_type) do update set max_out = excluded.max_out returning " LIMIT_ROW("")};

static const pt_sql_t sql_no_limit = {
    "remove_limit",
    "with removed as (delete from limits where org_id is not distinct from $1::uuid"
    " and job_type is not distinct from $2::text returning *)"
    " select json_build_object('removed', (select count(*) from removed))"};

static const pt_sql_t sql_weight = {
    "set_weight",
    "update organisations set weight = $2::integer where id = $1::uuid"
    " returning json_build_object('org_id', id, 'weight', weight)"};

static const pt_sql_t sql_show = {
    "show_settings",
    "select json_build_object("
    " 'job_types', (select coalesce(json_agg(" TYPE_ROW("t.") " order by t.job_type), '[]') from job_types t),"
    " 'limits', (select coalesce(json_agg(" LIMIT_ROW("l.") " order by l.org_id, l.job_type), '[]') from limits l),"
    " 'weights', (select coalesce(json_agg(json_build_object('org_id', o.id, 'weight', o.weight) order by o.id),"
    "   '[]') from organisations o where o.weight <> 1),"
    " 'unserved', (select coalesce(json_agg(json_build_object('job_type', u.job_type, 'since', u.since)"
    "   order by u.job_type), '[]') from unserved u))"};
/* clang-format on */

#define DAY 86400

static const pt_sql_t sql_is_declared = {
    "is_declared", "select exists (select 1 from declarations where job_type = $1::text)"};

/* A type may be set up before its first worker comes; a word written wrong looks the same. */
static void note_undeclared(pt_pool_t *pool, const char *job_type)
{
    PGresult *rows = NULL;
    if (pt_pool_run(pool, &sql_is_declared, &job_type, 1, DEADLINE_MS, &rows) == PT_PG_OK &&
        *PQgetvalue(rows, 0, 0) == 'f')
        fprintf(stderr, "note: no pipeline of %s has ever said what it is\n", job_type);
    PQclear(rows);
}

int pt_admin_job_type(pt_pool_t *pool, const char *const *arguments)
{
    static const flag_t type = {"TYPE", TYPE, 0, 0, NULL};
    flag_t flags[] = {{"--max-tries", WHOLE, 1, 100, NULL},
                      {"--retry-after", SECONDS, 0, DAY, NULL},
                      {"--retry-most", SECONDS, 0, DAY, NULL},
                      {"--queue-timeout", SECONDS, 1, 3650.0 * DAY, NULL},
                      {NULL, TEXT, 0, 0, NULL}};
    if (!check(&type, arguments[0]) || !read_flags(arguments + 1, flags))
        return 1;
    const char *params[] = {arguments[0], flags[0].value, flags[1].value, flags[2].value,
                            flags[3].value};
    int status = run(pool, &sql_job_type, params, 5, "");
    if (status == 0)
        note_undeclared(pool, arguments[0]);
    return status;
}

static const pt_sql_t sql_forget = {
    "forget_job_type", "delete from declarations where job_type = $1::text"
                       " returning json_build_object('job_type', job_type, 'version', version)"};

int pt_admin_forget(pt_pool_t *pool, const char *const *arguments)
{
    static const flag_t type = {"TYPE", TYPE, 0, 0, NULL};
    if (!check(&type, arguments[0]))
        return 1;
    return run(pool, &sql_forget, arguments, 1, "nobody has declared this job type");
}

int pt_admin_limit(pt_pool_t *pool, const char *const *arguments)
{
    static const flag_t most = {"N", WHOLE, 0, 1000000, NULL};
    flag_t flags[] = {
        {"--org", ORG, 0, 0, NULL}, {"--job-type", TYPE, 0, 0, NULL}, {NULL, TEXT, 0, 0, NULL}};
    bool none = strcmp(arguments[0], "none") == 0;
    if ((!none && !check(&most, arguments[0])) || !read_flags(arguments + 1, flags))
        return 1;
    if (!flags[0].value && !flags[1].value)
        return pt_admin_fail("a limit is of --org ORG_ID, of --job-type TYPE, or of both");
    const char *params[] = {flags[0].value, flags[1].value, arguments[0]};
    int status = run(pool, none ? &sql_no_limit : &sql_limit, params, none ? 2 : 3,
                     "there is no such organisation");
    if (status == 0 && flags[1].value)
        note_undeclared(pool, flags[1].value);
    return status;
}

int pt_admin_weight(pt_pool_t *pool, const char *const *arguments)
{
    static const flag_t org = {"ORG_ID", ORG, 0, 0, NULL}, turns = {"N", WHOLE, 1, 100, NULL};
    if (!check(&org, arguments[0]) || !check(&turns, arguments[1]))
        return 1;
    return run(pool, &sql_weight, arguments, 2, "there is no such organisation");
}

int pt_admin_show(pt_pool_t *pool, const char *const *arguments)
{
    (void)arguments;
    return run(pool, &sql_show, NULL, 0, "");
}

/* ---- dead letters ------------------------------------------------------------------------ */

#define PAGE "500"

/* Where the walk through an organisation's failed jobs stands, in the order of jobs_by_error. */
typedef struct {
    char org[PT_UUID_TEXT], job_type[PT_TYPE_MAX], created_at[48], id[PT_UUID_TEXT];
} walk_t;

static const pt_sql_t sql_next_organisation = {
    "next_organisation", "select id from organisations where id > $1::uuid"
                         " and ($2::uuid is null or id = $2::uuid) order by id limit 1"};

/* A job that was submitted again already is left out. */
static const pt_sql_t sql_dead_page = {
    "dead_page",
    "select j.id, j.variant_id, j.job_type, j.priority, j.created_at,"
    " j.completed_at >= coalesce($7::timestamptz, '-infinity')"
    " and not exists (select 1 from jobs r where r.resubmit_of = j.id)"
    " from jobs j where j.org_id = $1::uuid and j.error_code = $2::text and j.status = 'failed'"
    " and ($3::text is null or j.job_type = $3::text)"
    " and (j.job_type, j.created_at, j.id) > ($4::text, $5::timestamptz, $6::uuid)"
    " order by j.job_type, j.created_at, j.id limit " PAGE};

static const pt_sql_t sql_resubmit = {
    "resubmit_page",
    "select s.n, pg_notify('paratope_settings', '') from submit_jobs($1::uuid[],"
    " array_fill($2::uuid, array[cardinality($1::uuid[])]), $3::uuid[], $4::text[],"
    " array_fill(false, array[cardinality($1::uuid[])]), $5::smallint[],"
    " array_fill(null::text, array[cardinality($1::uuid[])]), $6::uuid[],"
    " array_fill(null::text, array[cardinality($1::uuid[])]),"
    " array_fill(null::uuid, array[cardinality($1::uuid[])])) s"};

/* Submits the page's jobs again, as one transaction; `*made` grows by how many. */
static pt_pg_outcome_t resubmit_page(pt_pool_t *pool, const char *org, const PGresult *page,
                                     int *made)
{
    pt_array_t arrays[5] = {{0}}; /* new ids, variants, types, classes, old ids */
    for (int row = 0; row < PQntuples(page); row++) {
        pt_uuid_t id = pt_uuid_new(pt_wall_us());
        if (*PQgetvalue(page, row, 5) != 't')
            continue;
        pt_array_uuid(&arrays[0], &id);
        for (int column = 1; column < 4; column++)
            pt_array_text(&arrays[column], PQgetvalue(page, row, column));
        pt_array_text(&arrays[4], PQgetvalue(page, row, 0));
    }
    size_t count = arrays[0].count;
    const char *params[6] = {NULL, org};
    for (int i = 0; i < 5; i++)
        params[i == 0 ? 0 : i + 1] = pt_array_end(&arrays[i]);
    pt_pg_outcome_t outcome = PT_PG_OK;
    if (count > 0)
        outcome = pt_pool_run(pool, &sql_resubmit, params, 6, DEADLINE_MS, NULL);
    *made += outcome == PT_PG_OK ? (int)count : 0;
    for (int i = 0; i < 5; i++)
        pt_array_clear(&arrays[i]);
    return outcome;
}

static void step(walk_t *walk, const PGresult *page)
{
    int last = PQntuples(page) - 1;
    pt_job_type_copy(walk->job_type, PQgetvalue(page, last, 2));
    snprintf(walk->created_at, sizeof walk->created_at, "%s", PQgetvalue(page, last, 4));
    snprintf(walk->id, sizeof walk->id, "%s", PQgetvalue(page, last, 0));
}

enum { ERROR_CODE, JOB_TYPE, ONE_ORG, SINCE, RESUBMIT_FLAGS };

static pt_pg_outcome_t resubmit_of_organisation(pt_pool_t *pool, walk_t *walk, const flag_t *flags,
                                                int *made)
{
    pt_pg_outcome_t outcome;
    PGresult *page = NULL;
    int rows = 1;
    strcpy(walk->created_at, "-infinity");
    strcpy(walk->id, "00000000-0000-0000-0000-000000000000");
    *walk->job_type = 0;
    do {
        const char *params[] = {walk->org,         flags[ERROR_CODE].value, flags[JOB_TYPE].value,
                                walk->job_type,    walk->created_at,        walk->id,
                                flags[SINCE].value};
        outcome = pt_pool_run(pool, &sql_dead_page, params, 7, DEADLINE_MS, &page);
        rows = outcome == PT_PG_OK ? PQntuples(page) : 0;
        if (rows > 0) {
            outcome = resubmit_page(pool, walk->org, page, made);
            step(walk, page);
        }
        PQclear(page);
        page = NULL;
    } while (rows > 0 && outcome == PT_PG_OK);
    return outcome;
}

/* Goes to the next organisation; false: there is none, or the database did not say. */
static bool next_organisation(pt_pool_t *pool, walk_t *walk, const flag_t *flags,
                              pt_pg_outcome_t *outcome)
{
    const char *params[] = {walk->org, flags[ONE_ORG].value};
    PGresult *rows = NULL;
    *outcome = pt_pool_run(pool, &sql_next_organisation, params, 2, DEADLINE_MS, &rows);
    bool found = *outcome == PT_PG_OK && PQntuples(rows) > 0;
    if (found)
        snprintf(walk->org, sizeof walk->org, "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);
    return found;
}

int pt_admin_resubmit(pt_pool_t *pool, const char *const *arguments)
{
    flag_t flags[RESUBMIT_FLAGS + 1] = {[ERROR_CODE] = {"--error-code", TEXT, 0, 0, NULL},
                                        [JOB_TYPE] = {"--job-type", TYPE, 0, 0, NULL},
                                        [ONE_ORG] = {"--org", ORG, 0, 0, NULL},
                                        [SINCE] = {"--since", TEXT, 0, 0, NULL}};
    if (!read_flags(arguments, flags))
        return 1;
    if (!flags[ERROR_CODE].value)
        return pt_admin_fail("this is needed: --error-code CODE");
    walk_t walk = {.org = "00000000-0000-0000-0000-000000000000"};
    pt_pg_outcome_t outcome;
    int made = 0;
    while (next_organisation(pool, &walk, flags, &outcome) && outcome == PT_PG_OK) {
        outcome = resubmit_of_organisation(pool, &walk, flags, &made);
        if (outcome != PT_PG_OK)
            break;
    }
    printf("{\"resubmitted\":%d}\n", made);
    return outcome == PT_PG_OK ? 0 : pt_admin_fail_outcome(outcome);
}
