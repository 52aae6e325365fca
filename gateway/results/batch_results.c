#include "gateway/results/batch_results.h"

#include "gateway/results/fasta.h"
#include "gateway/results/table_csv.h"
#include "gateway/store/read_batches.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#define LARGE_WAIT_MS 10000 /* for one's turn, when many ask for large results */

typedef struct {
    pt_stream_t stream; /* first */
    pt_pool_t *pool;
    pt_uuid_t org;
    pt_batch_format_t format;
    char batch[PT_UUID_TEXT], behind[PT_UUID_TEXT], job_type[PT_TYPE_MAX];
    pt_table_t *table; /* of a CSV */
    msgpack_sbuffer piece;
    size_t row; /* of the job behind `behind` the first one that is still to come; 0: all are */
    PGresult *large;            /* the line that is being sent; its turn is ours */
    char waiting[PT_UUID_TEXT]; /* the large job whose line is the next piece; or "" */
} results_t;

static const char no_job[] = "00000000-0000-0000-0000-000000000000";

static void leave_large(results_t *self)
{
    if (!self->large)
        return;
    PQclear(self->large);
    self->large = NULL;
    pt_pool_leave_large(self->pool, &self->org);
}

static void destroy(pt_stream_t *stream)
{
    results_t *self = (results_t *)stream;
    leave_large(self);
    pt_table_destroy(&self->table);
    msgpack_sbuffer_destroy(&self->piece);
    free(self);
}

/* ---- a row of a page --------------------------------------------------------------------- */

/* NULL if it has none. */
static json_t *results_at(const PGresult *rows, int row)
{
    const char *text = pt_pg_text(rows, row, PT_ENDED_RESULTS);
    return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static void add_to_table(results_t *self, const PGresult *rows, int row, const json_t *results)
{
    char other[160] = "";
    pt_table_job_t job = {
        pt_pg_text(rows, row, PT_ENDED_NAME), pt_pg_text(rows, row, PT_ENDED_VARIANT),
        PQgetvalue(rows, row, PT_ENDED_JOB),  pt_pg_text(rows, row, PT_ENDED_STATUS),
        pt_pg_text(rows, row, PT_ENDED_CODE), pt_pg_text(rows, row, PT_ENDED_MESSAGE)};
    if (pt_pg_text(rows, row, PT_ENDED_LARGE))
        snprintf(other, sizeof other, "too large for a table (%s bytes): GET /v1/jobs/%s/results",
                 pt_pg_text(rows, row, PT_ENDED_LARGE), job.job_id);
    else if (pt_pg_text(rows, row, PT_ENDED_RESULTS) && !results) /* an integer above 63 bits */
        snprintf(other, sizeof other, "not to be read for a table: GET /v1/jobs/%s/results",
                 job.job_id);
    self->row = pt_table_rows(self->table, &job, results, self->row, other, &self->piece);
}

static void add_row(results_t *self, const PGresult *rows, int row)
{
    json_t *results = results_at(rows, row);
    if (self->format == PT_BATCH_CSV)
        add_to_table(self, rows, row, results);
    else
        pt_result_fasta(self->job_type, PQgetvalue(rows, row, PT_ENDED_NAME),
                        PQgetvalue(rows, row, PT_ENDED_JOB), results, &self->piece);
    json_decref(results);
}

/* False: what comes next is large, and a piece of its own. */
static bool add_line(results_t *self, const PGresult *rows, int row)
{
    const char *line = pt_pg_text(rows, row, PT_ENDED_LINE);
    if (!line) {
        snprintf(self->waiting, sizeof self->waiting, "%s", PQgetvalue(rows, row, PT_ENDED_JOB));
        return false;
    }
    msgpack_sbuffer_write(&self->piece, line, strlen(line));
    msgpack_sbuffer_write(&self->piece, "\n", 1);
    return true;
}

/* ---- pages ------------------------------------------------------------------------------- */

static void add_page(results_t *self, const PGresult *rows)
{
    bool more = true;
    for (int row = 0; more && row < PQntuples(rows); row++) {
        if (self->format == PT_BATCH_JSONL)
            more = add_line(self, rows, row);
        else
            add_row(self, rows, row);
        if (self->row > 0) /* the next page begins with this job again */
            return;
        snprintf(self->behind, sizeof self->behind, "%s", PQgetvalue(rows, row, PT_ENDED_JOB));
    }
}

static pt_pg_outcome_t read_page(results_t *self, PGresult **rows)
{
    return pt_store_batch_ended(self->pool, self->batch, self->behind,
                                self->format != PT_BATCH_JSONL, rows);
}

static bool next_large(results_t *self, const char **piece, size_t *size)
{
    if (!pt_pool_enter_large(self->pool, &self->org, LARGE_WAIT_MS))
        return false;
    if (pt_store_large_line(self->pool, self->waiting, &self->large) != PT_PG_OK ||
        PQntuples(self->large) == 0) {
        PQclear(self->large);
        self->large = NULL;
        pt_pool_leave_large(self->pool, &self->org);
        return false;
    }
    self->waiting[0] = 0;
    *piece = PQgetvalue(self->large, 0, 0);
    *size = (size_t)PQgetlength(self->large, 0, 0);
    msgpack_sbuffer_write(&self->piece, "\n", 1); /* the end of its line begins the next piece */
    return true;
}

static bool next(pt_stream_t *stream, const char **piece, size_t *size)
{
    results_t *self = (results_t *)stream;
    leave_large(self);
    if (self->waiting[0])
        return next_large(self, piece, size);
    bool last = false;
    do {
        PGresult *rows = NULL;
        if (read_page(self, &rows) != PT_PG_OK) {
            pt_log(PT_WARNING, "results of a batch broke off: the database did not answer",
                   PT_S("batch", self->batch));
            return false;
        }
        last = PQntuples(rows) == 0;
        add_page(self, rows);
        PQclear(rows);
    } while (self->piece.size == 0 && !last && !self->waiting[0]);
    if (self->piece.size == 0 && self->waiting[0])
        return next_large(self, piece, size);
    *piece = self->piece.data;
    *size = self->piece.size;
    self->piece.size = 0; /* its bytes stay until the next call */
    return true;
}

/* ---- the columns ------------------------------------------------------------------------- */

static int learn_page(results_t *self, const PGresult *rows)
{
    int learnt = 0;
    for (int row = 0; row < PQntuples(rows); row++) {
        json_t *results = results_at(rows, row);
        if (results)
            pt_table_learn(self->table, results);
        learnt += results != NULL;
        json_decref(results);
        snprintf(self->behind, sizeof self->behind, "%s", PQgetvalue(rows, row, PT_ENDED_JOB));
    }
    return learnt;
}

static pt_pg_outcome_t learn_columns(results_t *self)
{
    pt_pg_outcome_t outcome = PT_PG_OK;
    self->table = pt_table_new(pt_result_list(self->job_type));
    for (int learnt = 0, last = 0; learnt < PT_BATCH_LEARNT && !last && outcome == PT_PG_OK;) {
        PGresult *rows = NULL;
        outcome = read_page(self, &rows);
        last = outcome != PT_PG_OK || PQntuples(rows) == 0;
        learnt += last ? 0 : learn_page(self, rows);
        PQclear(rows);
    }
    snprintf(self->behind, sizeof self->behind, "%s", no_job);
    pt_table_header(self->table, &self->piece);
    return outcome;
}

pt_pg_outcome_t pt_batch_results_new(pt_pool_t *pool, const pt_uuid_t *org, const pt_uuid_t *batch,
                                     const char *job_type, pt_batch_format_t format,
                                     pt_stream_t **stream)
{
    results_t *self = zmalloc(sizeof *self);
    self->stream = (pt_stream_t){next, destroy};
    self->pool = pool;
    self->org = *org;
    self->format = format;
    pt_uuid_format(batch, self->batch);
    snprintf(self->behind, sizeof self->behind, "%s", no_job);
    snprintf(self->job_type, sizeof self->job_type, "%s", job_type);
    msgpack_sbuffer_init(&self->piece);
    pt_pg_outcome_t outcome = format == PT_BATCH_CSV ? learn_columns(self) : PT_PG_OK;
    *stream = outcome == PT_PG_OK ? &self->stream : NULL;
    if (!*stream)
        destroy(&self->stream);
    return outcome;
}
