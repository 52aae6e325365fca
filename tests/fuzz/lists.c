/* Queries of the lists, cursors among them. Bytes: which list; the query. */
#include "gateway/store/lifecycle.h"
#include "request.h"

static bool asked;

static pt_pg_outcome_t page(int64_t after, int64_t limit, char **json)
{
    CHECK(after >= 0 && after <= PT_SEQ_MAX && limit >= 1 && limit <= 1000);
    asked = true;
    *json = strdup("{}");
    return PT_PG_OK;
}

/* In place of the database's. */
pt_pg_outcome_t __wrap_pt_store_jobs(pt_pool_t *pool, const pt_uuid_t *org,
                                     const pt_job_filter_t *filter, pt_job_page_t *to);
pt_pg_outcome_t __wrap_pt_store_jobs(pt_pool_t *pool, const pt_uuid_t *org,
                                     const pt_job_filter_t *filter, pt_job_page_t *to)
{
    (void)pool;
    CHECK((!filter->job_types || filter->job_types[0]) && filter->statuses[0]);
    char text[PT_CURSOR_TEXT];
    pt_position_t again;
    *to = (pt_job_page_t){.more = filter->behind};
    if (filter->behind) {
        pt_cursor_write(filter->behind, org, text);
        CHECK(pt_cursor_read(&again, org, text, strlen(text)));
        CHECK(memcmp(&again, filter->behind, sizeof again) == 0);
        to->last = *filter->behind;
    }
    return page(0, filter->limit, &to->data);
}

pt_pg_outcome_t __wrap_pt_store_events(pt_pool_t *pool, const pt_uuid_t *org, int64_t after,
                                       int64_t limit, char **json);
pt_pg_outcome_t __wrap_pt_store_events(pt_pool_t *pool, const pt_uuid_t *org, int64_t after,
                                       int64_t limit, char **json)
{
    (void)pool, (void)org;
    return page(after, limit, json);
}

pt_pg_outcome_t __wrap_pt_store_job_events(pt_pool_t *pool, const pt_uuid_t *org,
                                           const pt_uuid_t *job, int64_t after, int64_t limit,
                                           char **json);
pt_pg_outcome_t __wrap_pt_store_job_events(pt_pool_t *pool, const pt_uuid_t *org,
                                           const pt_uuid_t *job, int64_t after, int64_t limit,
                                           char **json)
{
    (void)pool, (void)org, (void)job;
    return page(after, limit, json);
}

/* Nobody had jobs of a type that is not declared. */
pt_pg_outcome_t __wrap_pt_store_has_type(pt_pool_t *pool, const pt_uuid_t *org,
                                         const char *job_type, bool *has);
pt_pg_outcome_t __wrap_pt_store_has_type(pt_pool_t *pool, const pt_uuid_t *org,
                                         const char *job_type, bool *has)
{
    (void)pool, (void)org;
    CHECK(pt_job_type_valid(job_type, strlen(job_type)));
    *has = false;
    return PT_PG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const pt_handler_t lists[] = {pt_api_jobs, pt_api_events, pt_api_job_events};
    reader_t reader = {data, size};
    pt_handler_t list = lists[below(&reader, 3)];
    char *query = take_text(&reader, reader.left);
    asked = false;
    int status = answer(list, query, NULL, 0);
    CHECK(asked == (status == 200));
    free(query);
    return 0;
}
