#include "gateway/record/batch_large.h"

#include <string.h>

#define PARTS_A_ROW 7
#define COLUMNS 5 /* as the statement names them */

#define NULL_LENGTH 0xffffffffu /* of a field that is null */

static const char sql_copy[] =
    "copy results (job_id, results, model_versions, files, bytes) from stdin (format binary)";
static const char head[19] = "PGCOPY\n\377\r\n"; /* no flags, no extension */
static const char end[2] = "\377\377";

/* What stands between the texts of a row: numbers are big-endian, each field behind its length. */
typedef struct {
    uint8_t before_results[2 + 4 + PT_UUID_SIZE + 4];
    uint8_t before_versions[4], before_files[4];
    uint8_t after[4 + 8];
} frame_t;

static void put_number(uint8_t *to, size_t width, uint64_t number)
{
    for (size_t i = 0; i < width; i++)
        to[i] = (uint8_t)(number >> (8 * (width - 1 - i)));
}

static void add_row(frame_t *frame, pt_pg_part_t *parts, const pt_item_t *item)
{
    const char *results = item->result.results, *versions = item->result.model_versions;
    const char *files = item->result.files;
    size_t results_size = strlen(results), versions_size = strlen(versions);
    size_t files_size = files ? strlen(files) : 0;
    put_number(frame->before_results, 2, COLUMNS);
    put_number(frame->before_results + 2, 4, PT_UUID_SIZE);
    memcpy(frame->before_results + 6, item->row->job_id.bytes, PT_UUID_SIZE);
    put_number(frame->before_results + 6 + PT_UUID_SIZE, 4, results_size);
    put_number(frame->before_versions, 4, versions_size);
    put_number(frame->before_files, 4, files ? files_size : NULL_LENGTH);
    put_number(frame->after, 4, 8);
    put_number(frame->after + 4, 8, results_size);
    parts[0] = (pt_pg_part_t){frame->before_results, sizeof frame->before_results};
    parts[1] = (pt_pg_part_t){results, results_size};
    parts[2] = (pt_pg_part_t){frame->before_versions, sizeof frame->before_versions};
    parts[3] = (pt_pg_part_t){versions, versions_size};
    parts[4] = (pt_pg_part_t){frame->before_files, sizeof frame->before_files};
    parts[5] = (pt_pg_part_t){files, files_size};
    parts[6] = (pt_pg_part_t){frame->after, sizeof frame->after};
}

pt_pg_outcome_t pt_batch_write_large(const pt_batch_t *self, pt_pg_t *pg, int deadline_ms)
{
    frame_t frames[PT_BATCH_LARGE_MAX];
    pt_pg_part_t parts[2 + PT_BATCH_LARGE_MAX * PARTS_A_ROW];
    size_t count = 0;
    parts[count++] = (pt_pg_part_t){head, sizeof head};
    for (size_t i = 0; i < self->large_count; i++, count += PARTS_A_ROW)
        add_row(&frames[i], &parts[count], self->large[i]);
    parts[count++] = (pt_pg_part_t){end, sizeof end};
    return pt_pg_copy(pg, sql_copy, parts, count, deadline_ms);
}
