/* Bodies of POST /v1/therapeutic-candidates. */
#include "request.h"

#include "gateway/molecules/molecule.h"

static bool stored;

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* In place of the database's. */
pt_pg_outcome_t __wrap_pt_store_candidate(pt_pool_t *pool, const pt_candidate_t *candidate,
                                          char *created_at);
pt_pg_outcome_t __wrap_pt_store_candidate(pt_pool_t *pool, const pt_candidate_t *candidate,
                                          char *created_at)
{
    char reason[200];
    (void)pool;
    stored = true;
    CHECK(candidate->name[0] && strlen(candidate->name) <= 4 * PT_MOLECULE_NAME_MAX);
    CHECK(characters(candidate->name) <= PT_MOLECULE_NAME_MAX);
    CHECK(pt_text_valid(candidate->name, strlen(candidate->name)));
    json_t *chains =
        pt_json_read(candidate->chains, strlen(candidate->chains), reason, sizeof reason);
    CHECK(json_array_size(chains) >= 1);
    json_decref(chains);
    pt_time_iso(1795500000123456, created_at);
    return PT_PG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    uint8_t *body = take(&reader, &size);
    stored = false;
    int status = answer(pt_api_make_candidate, NULL, (char *)body, size);
    CHECK(stored == (status == 201));
    free(body);
    return 0;
}
