/* Results of many jobs as one table for spreadsheets and data frames (RFC 4180).
 *
 * A job is one row, or, where its results are a list of objects (one for each strategy) or have one
 * under a key that is given, one for each of them. The columns are the job's own, then the paths of
 * all values that some result has: keys with dots between them. A list of plain values is one cell,
 * with semicolons. Lists of objects, and maps with more than PT_TABLE_MAP_MAX members (one for each
 * residue), are left out; so are empty lists, which would else make a column that is empty where
 * others have objects. What has no column, because it was not learnt, stands as JSON in the last
 * one, `other`.
 *
 * No text in a cell begins a formula: before = + - @ tab and CR stands an apostrophe.
 */
#ifndef PT_TABLE_CSV_H
#define PT_TABLE_CSV_H

#include <jansson.h>
#include <msgpack.h>

#define PT_TABLE_MAP_MAX 64
#define PT_TABLE_COLUMNS_MAX 2000 /* further ones go to `other` */

typedef struct pt_table pt_table_t;

/* `list`: the key, borrowed; NULL: there is none. */
pt_table_t *pt_table_new(const char *list);
void pt_table_destroy(pt_table_t **self);

/* Its paths become columns, in the order in which they are met first. */
void pt_table_learn(pt_table_t *self, const json_t *results);

void pt_table_header(const pt_table_t *self, msgpack_sbuffer *to);

/* What every row of a job begins with; all borrowed, NULL is empty. */
typedef struct {
    const char *name, *variant_id, *job_id, *status, *error_code, *error_message;
} pt_table_job_t;

/* The job's rows from the one at `from` on; without results (NULL) one, with `other` in its last
   cell. A small result can be many wide rows: it stops behind the one with which `to` has
   PT_TABLE_PIECE bytes. Returns the place of the next row, 0 if that was the last. */
#define PT_TABLE_PIECE (1024 * 1024)
size_t pt_table_rows(const pt_table_t *self, const pt_table_job_t *job, const json_t *results,
                     size_t from, const char *other, msgpack_sbuffer *to);

#endif
