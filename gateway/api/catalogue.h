/* What the pipelines of each job type declare (PIPELINE.md, `declare`), as the table has it. Read
 * when it is first asked for, and anew after the table has changed.
 */
#ifndef PT_CATALOGUE_H
#define PT_CATALOGUE_H

#include "gateway/database/pool.h"
#include "proto/wire.h"

#include <jansson.h>

typedef struct {
    char job_type[PT_TYPE_MAX];
    char *title, *version;
    json_t *schema; /* of its options; it has been checked */
} pt_declaration_t;

/* All of them at one time, by job type. Never changes; given back, it goes with the last reader. */
typedef struct pt_declarations pt_declarations_t;

typedef struct pt_catalogue pt_catalogue_t;

/* Reads on connections of `pool`, which must live longer. */
pt_catalogue_t *pt_catalogue_new(pt_pool_t *pool);
void pt_catalogue_destroy(pt_catalogue_t **self);

/* The table may have changed; from any thread. */
void pt_catalogue_stale(pt_catalogue_t *self);

/* What is declared now; when the database does not say, what was last read, or NULL: nothing yet.
 */
const pt_declarations_t *pt_catalogue_take(pt_catalogue_t *self);
void pt_catalogue_give_back(pt_catalogue_t *self, const pt_declarations_t *taken);

/* NULL: nobody has declared it (or `self` is NULL). */
const pt_declaration_t *pt_declaration_of(const pt_declarations_t *self, const char *job_type);
/* The n-th, NULL behind the last. */
const pt_declaration_t *pt_declaration_at(const pt_declarations_t *self, size_t n);

#endif
