#include "gateway/dispatch/job_inputs.h"

#include <string.h>

enum { VARIANT_ID = 2, NAME, FORMAT, CHAINS, OPTIONS, TYPE, JOB_ID, RESULTS, FILES };

static void read_id(const PGresult *rows, int row, int column, pt_uuid_t *id)
{
    pt_uuid_parse(id, PQgetvalue(rows, row, column), PT_UUID_TEXT - 1);
}

static void read_earlier(const PGresult *rows, int row, pt_earlier_t *earlier)
{
    earlier->job_type = PQgetvalue(rows, row, TYPE);
    read_id(rows, row, JOB_ID, &earlier->job_id);
    earlier->results = PQgetvalue(rows, row, RESULTS);
    earlier->files = pt_pg_text(rows, row, FILES);
}

void pt_job_inputs_read(const PGresult *rows, pt_inputs_t *inputs)
{
    memset(inputs, 0, sizeof *inputs);
    read_id(rows, 0, VARIANT_ID, &inputs->variant_id);
    inputs->name = PQgetvalue(rows, 0, NAME);
    inputs->format = PQgetvalue(rows, 0, FORMAT);
    inputs->chains = PQgetvalue(rows, 0, CHAINS);
    inputs->options = pt_pg_text(rows, 0, OPTIONS);
    for (int row = 0; row < PQntuples(rows) && inputs->earlier_count < PT_EARLIER_MAX; row++)
        if (!PQgetisnull(rows, row, JOB_ID))
            read_earlier(rows, row, &inputs->earlier[inputs->earlier_count++]);
}
