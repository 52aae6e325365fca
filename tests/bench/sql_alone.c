/* PostgreSQL alone, with the gateway's own statements on one connection.
 *   sql_alone submit URI ORG VARIANT BATCH SECONDS      makes jobs, in batches
 *   sql_alone life URI ORG VARIANT BATCH SECONDS        takes each batch through all states
 *   sql_alone wait URI ORG VARIANT BATCH JOBS           makes so many jobs that wait
 * Prints jobs and seconds. Batches in `life` are as the gateway's at their best: one transaction to
 * submit, one for all starts (lock, update, events), one for all endings (and results). */
#include "gateway/database/array.h"
#include "gateway/store/move.h"
#include "proto/program/process.h"
#include "proto/uuid.h"

#include <stdio.h>

#define DEADLINE_MS 60000
#define BATCH_MAX 1024

typedef struct {
    pt_pg_t *pg;
    pt_uuid_t org, variant, ids[BATCH_MAX];
    int batch;
    bool reserved;
} run_t;

static void demand(pt_pg_outcome_t outcome, const run_t *run)
{
    if (outcome == PT_PG_OK)
        return;
    fprintf(stderr, "sql_alone: %s\n", pt_pg_error(run->pg));
    exit(1);
}

/* Arrays are built anew for each statement, as the gateway does. */
static void end_arrays(pt_array_t *arrays, const char **params, int count)
{
    for (int i = 0; i < count; i++)
        params[i] = pt_array_end(&arrays[i]);
}

static void clear_arrays(pt_array_t *arrays, int count)
{
    for (int i = 0; i < count; i++)
        pt_array_clear(&arrays[i]);
}

static void submit(run_t *run)
{
    pt_array_t arrays[PT_SUBMIT_PARAMS] = {{0}};
    const char *params[PT_SUBMIT_PARAMS];
    for (int i = 0; i < run->batch; i++) {
        run->ids[i] = pt_uuid_new(pt_wall_us());
        pt_array_uuid(&arrays[0], &run->ids[i]);
        pt_array_uuid(&arrays[1], &run->org);
        pt_array_uuid(&arrays[2], &run->variant);
        pt_array_text(&arrays[3], "humanization");
        pt_array_text(&arrays[4], run->reserved ? "t" : "f");
        pt_array_int(&arrays[5], 1);
        pt_array_text(&arrays[6], "0198c0de-0000-7000-8000-000000000000");
        for (int none = 7; none < PT_SUBMIT_PARAMS; none++)
            pt_array_text(&arrays[none], NULL);
    }
    end_arrays(arrays, params, PT_SUBMIT_PARAMS);
    PGresult *rows = NULL;
    demand(pt_pg_run(run->pg, &pt_sql_submit, params, PT_SUBMIT_PARAMS, DEADLINE_MS, &rows), run);
    PQclear(rows);
    clear_arrays(arrays, PT_SUBMIT_PARAMS);
}

static void put_update(pt_array_t *to, const pt_uuid_t *id, const char *status, const char *began,
                       const char *ended)
{
    pt_array_uuid(&to[0], id);
    pt_array_text(&to[1], status);
    pt_array_int(&to[2], 1);
    pt_array_int(&to[3], 0);
    pt_array_int(&to[4], 0);
    pt_array_text(&to[5], NULL);
    pt_array_text(&to[6], began);
    pt_array_text(&to[7], ended);
    for (int i = 8; i < 13; i++)
        pt_array_text(&to[i], NULL);
}

static void put_event(pt_array_t *to, const run_t *run, const pt_uuid_t *id, const char *type,
                      const char *status, const char *at)
{
    pt_array_uuid(&to[0], id);
    pt_array_uuid(&to[1], &run->org);
    pt_array_text(&to[2], "humanization");
    pt_array_text(&to[3], type);
    pt_array_text(&to[4], status);
    pt_array_int(&to[5], 1);
    pt_array_text(&to[6], at);
    pt_array_text(&to[7], NULL);
}

static void lock(run_t *run)
{
    pt_array_t ids = {0};
    for (int i = 0; i < run->batch; i++)
        pt_array_uuid(&ids, &run->ids[i]);
    const char *param = pt_array_end(&ids);
    pt_pg_step_t steps[] = {{&pt_sql_begin, NULL, 0}, {&pt_sql_lock_jobs, &param, 1}};
    PGresult *results[2];
    demand(pt_pg_flight(run->pg, steps, 2, DEADLINE_MS, results), run);
    PQclear(results[0]);
    PQclear(results[1]);
    pt_array_clear(&ids);
}

/* One transaction that takes the whole batch from one state to the next. */
static void move(run_t *run, bool ending)
{
    char text[PT_TIME_TEXT];
    pt_array_t update[13] = {{0}}, result[4] = {{0}}, events[8] = {{0}};
    const char *update_params[13], *result_params[4], *event_params[8];
    lock(run);
    const char *now = pt_time_format(pt_wall_us() + 1000, text); /* not before created_at */
    for (int i = 0; i < run->batch; i++) {
        put_update(update, &run->ids[i], ending ? "completed" : "running", now,
                   ending ? now : NULL);
        put_event(events, run, &run->ids[i], ending ? "completed" : "started",
                  ending ? "completed" : "running", now);
        pt_array_uuid(&result[0], &run->ids[i]);
        pt_array_text(&result[1], "{}");
        pt_array_text(&result[2], "{}");
        pt_array_text(&result[3], NULL);
    }
    end_arrays(update, update_params, 13);
    end_arrays(result, result_params, 4);
    end_arrays(events, event_params, 8);
    pt_pg_step_t steps[4] = {{&pt_sql_update_jobs, update_params, 13}};
    int count = 1;
    if (ending)
        steps[count++] = (pt_pg_step_t){&pt_sql_insert_results, result_params, 4};
    steps[count++] = (pt_pg_step_t){&pt_sql_append_events, event_params, 8};
    steps[count++] = (pt_pg_step_t){&pt_sql_commit, NULL, 0};
    PGresult *results[4];
    demand(pt_pg_flight(run->pg, steps, count, DEADLINE_MS, results), run);
    for (int i = 0; i < count; i++)
        PQclear(results[i]);
    clear_arrays(update, 13);
    clear_arrays(result, 4);
    clear_arrays(events, 8);
}

int main(int argc, char **argv)
{
    run_t run = {.batch = argc == 7 ? atoi(argv[5]) : 0};
    if (run.batch < 1 || run.batch > BATCH_MAX || !pt_uuid_parse(&run.org, argv[3], 36) ||
        !pt_uuid_parse(&run.variant, argv[4], 36))
        return 2;
    bool life = streq(argv[1], "life"), wait = streq(argv[1], "wait");
    run.pg = pt_pg_new(argv[2]);
    run.reserved = life;
    int64_t began = pt_wall_us(), jobs = 0, most = atoll(argv[6]);
    while (wait ? jobs < most : pt_wall_us() - began < most * 1000000) {
        submit(&run);
        if (life) {
            move(&run, false);
            move(&run, true);
        }
        jobs += run.batch;
    }
    printf("{\"jobs\": %lld, \"seconds\": %.6f}\n", (long long)jobs,
           (double)(pt_wall_us() - began) / 1e6);
    pt_pg_destroy(&run.pg);
    return 0;
}
