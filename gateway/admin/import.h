/* Antibodies of a FASTA file become candidates of an organisation. */
#ifndef PT_IMPORT_H
#define PT_IMPORT_H

#include "gateway/database/pool.h"
#include "proto/uuid.h"

#include <stdio.h>

/* Prints one JSON object a line for each antibody: {name, candidate_id, variant_id}, or {name,
   error}; the rest go on. Returns the exit status: 0 only if all of them were made. */
int pt_import_variants(pt_pool_t *pool, const pt_uuid_t *org, const char *file, FILE *to);

#endif
