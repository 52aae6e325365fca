/* Bodies of POST /v1/batches. Bytes: whether it is JSON or FASTA; the body. */
#include "gateway/api/ask_batch.h"
#include "gateway/molecules/molecule.h"
#include "gateway/store/read_batches.h"
#include "request.h"

static bool made;

static int compare(const void *a, const void *b)
{
    return pt_uuid_compare(a, b);
}

static void check_variants(const pt_new_batch_t *batch)
{
    pt_uuid_t *sorted = malloc(batch->count * sizeof *sorted);
    CHECK(sorted);
    memcpy(sorted, batch->variants, batch->count * sizeof *sorted);
    qsort(sorted, batch->count, sizeof *sorted, compare);
    for (size_t i = 1; i < batch->count; i++)
        CHECK(!pt_uuid_equal(&sorted[i - 1], &sorted[i]));
    free(sorted);
}

static void check_molecule(const pt_batch_molecule_t *molecule)
{
    json_t *chains = json_loads(molecule->chains, 0, NULL), *errors = json_array();
    size_t length = strlen(molecule->name);
    CHECK(length > 0 && length <= PT_MOLECULE_NAME_MAX && pt_text_valid(molecule->name, length));
    for (size_t i = 0; i < length; i++)
        CHECK((unsigned char)molecule->name[i] > 0x20 && molecule->name[i] != 0x7F);
    CHECK(chains && pt_molecule_check_kinds(molecule->format, chains, errors));
    pt_molecule_check_sequences(chains, errors);
    CHECK(json_array_size(errors) == 0);
    json_decref(errors);
    json_decref(chains);
}

/* In place of the one that writes. */
pt_submit_t __wrap_pt_batcher_make(pt_batcher_t *self, const pt_new_batch_t *batch, pt_uuid_t *id);
pt_submit_t __wrap_pt_batcher_make(pt_batcher_t *self, const pt_new_batch_t *batch, pt_uuid_t *id)
{
    (void)self;
    CHECK(batch->count >= 1 && batch->count <= PT_BATCH_JOBS_MAX);
    CHECK(!batch->variants != !batch->molecules);
    CHECK(pt_job_type_valid(batch->job_type, strlen(batch->job_type)));
    CHECK(batch->priority >= 0 && batch->priority <= 2);
    if (batch->variants)
        check_variants(batch);
    for (size_t i = 0; batch->molecules && i < batch->count; i++)
        check_molecule(&batch->molecules[i]);
    memset(id, 7, sizeof *id);
    made = true;
    return PT_SUBMIT_CREATED;
}

/* In place of the database's: there all variants are, and nothing is read. */
pt_pg_outcome_t __wrap_pt_store_missing_variants(pt_pool_t *pool, const pt_uuid_t *org,
                                                 const pt_uuid_t *variants, size_t count, int limit,
                                                 PGresult **rows);
pt_pg_outcome_t __wrap_pt_store_missing_variants(pt_pool_t *pool, const pt_uuid_t *org,
                                                 const pt_uuid_t *variants, size_t count, int limit,
                                                 PGresult **rows)
{
    (void)pool, (void)org, (void)variants, (void)count, (void)limit;
    *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    return PT_PG_OK;
}

pt_pg_outcome_t __wrap_pt_store_batch(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                      char **json);
pt_pg_outcome_t __wrap_pt_store_batch(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                      char **json)
{
    (void)pool, (void)org, (void)batch;
    *json = NULL;
    return PT_PG_AWAY;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const pt_header_t types[] = {{"Content-Type", "application/json"},
                                        {"Content-Type", "text/x-fasta"}};
    reader_t reader = {data, size};
    unsigned type = below(&reader, 2);
    size = reader.left;
    uint8_t *body = take(&reader, &size);
    const pt_request_t request = {.headers = &types[type],
                                  .header_count = 1,
                                  .query = "job_type=humanization",
                                  .body = (char *)body,
                                  .body_size = size};
    made = false;
    int status = answer_request(pt_api_make_batch, request);
    CHECK(made == (status == 202));
    free(body);
    return 0;
}
