#include "gateway/api/routes.h"

#include "gateway/api/api.h"

#include <stdio.h>
#include <string.h>

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

#define OPEN (PT_ROUTE_OPEN | PT_ROUTE_HEALTH)
#define BATCH (PT_ROUTE_BODY | PT_ROUTE_FASTA | PT_ROUTE_LARGE)

/* clang-format off */
const pt_route_t pt_routes[] = {
    {"POST", "/v1/jobs",                   pt_api_submit_job,     PT_ROUTE_BODY, "Submit a pipeline job"},
    {"GET",  "/v1/jobs",                   pt_api_jobs,           0,             "The organisation's jobs, newest first"},
    {"GET",  "/v1/jobs/{id}",              pt_api_job,            0,             "A job's status"},
    {"GET",  "/v1/jobs/{id}/results",      pt_api_job_results,    0,             "A completed job's results"},
    {"GET",  "/v1/jobs/{id}/files/{name}", pt_api_job_file,       PT_ROUTE_FORMATS, "A file of its results"},
    {"GET",  "/v1/jobs/{id}/events",       pt_api_job_events,     0,             "A job's history"},
    {"GET",  "/v1/jobs/{id}/logs",         pt_api_job_logs,       PT_ROUTE_TEXT, "What a job's pipeline wrote on standard error"},
    {"GET",  "/v1/jobs/{id}/position",     pt_api_job_position,   0,             "A waiting job's place in the queue"},
    {"POST", "/v1/jobs/{id}/cancel",       pt_api_cancel_job,     0,             "End a job that has not ended"},
    {"POST", "/v1/jobs/{id}/resubmit",     pt_api_resubmit_job,   0,             "Submit a failed job once more"},
    {"POST", "/v1/batches",                pt_api_make_batch,     BATCH,         "Submit many jobs as one"},
    {"GET",  "/v1/batches",                pt_api_batches,        0,             "The organisation's batches, newest first"},
    {"GET",  "/v1/batches/{id}",           pt_api_batch,          0,             "How far a batch is"},
    {"GET",  "/v1/batches/{id}/jobs",      pt_api_batch_jobs,     0,             "A batch's jobs"},
    {"GET",  "/v1/batches/{id}/results",   pt_api_batch_results,  PT_ROUTE_FORMATS, "What a batch's jobs have come to"},
    {"POST", "/v1/batches/{id}/cancel",    pt_api_cancel_batch,   0,             "End all jobs of a batch that have not ended"},
    {"POST", "/v1/{resource}",             pt_api_make_typed,     PT_ROUTE_BODY, "Submit a job with options"},
    {"GET",  "/v1/{resource}",             pt_api_typed_list,     0,             "The organisation's, newest first"},
    {"GET",  "/v1/{resource}/{id}",        pt_api_typed,          0,             "One, with its results once it has completed"},
    {"GET",  "/v1/{resource}/{id}/results", pt_api_job_results,   0,             "A completed one's results"},
    {"GET",  "/v1/{resource}/{id}/files/{name}", pt_api_job_file, PT_ROUTE_FORMATS, "A file of its results"},
    {"POST", "/v1/{resource}/{id}/cancel", pt_api_cancel_typed,   0,             "End one that has not ended"},
    {"GET",  "/v1/job-types",              pt_api_job_type_list,  0,             "Job types, who serves them, their options and how they are tried"},
    {"POST", "/v1/job-types/{job_type}/jobs", pt_api_make_typed,  PT_ROUTE_BODY, "Submit a job of an operator's own type"},
    {"GET",  "/v1/job-types/{job_type}/jobs", pt_api_typed_list,  0,             "The organisation's of such a type"},
    {"GET",  "/v1/job-types/{job_type}/jobs/{id}", pt_api_typed,  0,             "One of them"},
    {"GET",  "/v1/job-types/{job_type}/jobs/{id}/results", pt_api_job_results, 0, "A completed one's results"},
    {"GET",  "/v1/job-types/{job_type}/jobs/{id}/files/{name}", pt_api_job_file, PT_ROUTE_FORMATS, "A file of its results"},
    {"POST", "/v1/job-types/{job_type}/jobs/{id}/cancel", pt_api_cancel_typed, 0, "End one that has not ended"},
    {"GET",  "/v1/events",                 pt_api_events,         0,             "The organisation's events"},
    {"POST", "/v1/therapeutic-candidates", pt_api_make_candidate, PT_ROUTE_BODY, "Make a candidate and its baseline variant"},
    {"GET",  "/v1/therapeutic-candidates/{id}", pt_api_candidate, 0,             "A candidate and its baseline variant"},
    {"GET",  "/v1/variants/{id}",          pt_api_variant,        0,             "A variant and its chains"},
    {"GET",  "/v1/me",                     pt_api_me,             0,             "The organisation that asks, and its plan"},
    {"GET",  "/healthz",                   pt_api_healthz,        OPEN,          "The process is up"},
    {"GET",  "/readyz",                    pt_api_readyz,         OPEN,          "Database, broker and recorder are there"},
    {"GET",  "/metrics",                   pt_api_metrics,        OPEN,          "Figures for Prometheus"},
};
/* clang-format on */
const size_t pt_route_count = sizeof pt_routes / sizeof *pt_routes;

/* What stands for {id} is looked at once the token is known to be good: who has none learns nothing
   of what a path takes. The others decide whether there is such a path. */
static bool fill(pt_route_holes_t *holes, const char *hole, const char *segment, size_t size)
{
    if (strncmp(hole, "{id}", 4) == 0) {
        holes->id = segment;
        holes->id_size = size;
        return size > 0;
    }
    if (strncmp(hole, "{resource}", 10) == 0) {
        holes->resource = pt_resource_of_path(segment, size);
        return holes->resource != NULL;
    }
    if (strncmp(hole, "{job_type}", 10) == 0) {
        holes->job_type = segment;
        holes->job_type_size = size;
        return pt_job_type_valid(segment, size);
    }
    holes->name = segment;
    holes->name_size = size;
    return size > 0 && size <= PT_FILE_NAME_MAX && strspn(segment, NAME_LETTERS) >= size;
}

/* Whether the path has the pattern's shape. */
static bool fits(const char *pattern, const char *path, pt_route_holes_t *holes)
{
    memset(holes, 0, sizeof *holes);
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t size = strcspn(path, "/");
        if (!fill(holes, pattern, path, size))
            return false;
        pattern = strchr(pattern, '}') + 1;
        path += size;
    }
    return *path == 0;
}

static void allow(pt_route_match_t *match, const char *method)
{
    size_t used = strlen(match->allow);
    snprintf(match->allow + used, sizeof match->allow - used, "%s%s%s", used ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

pt_route_outcome_t pt_route_find(const char *method, const char *path, pt_route_match_t *match)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    memset(match, 0, sizeof *match);
    for (const pt_route_t *route = pt_routes; route < pt_routes + pt_route_count; route++) {
        if (!fits(route->pattern, path, &match->holes))
            continue;
        match->route = route;
        if (strcmp(route->method, wanted) == 0)
            return PT_ROUTE_FOUND;
        allow(match, route->method);
    }
    return match->allow[0] ? PT_ROUTE_NO_METHOD : PT_ROUTE_NO_PATH;
}
