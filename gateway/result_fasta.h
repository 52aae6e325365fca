/* Sequences that results have, as FASTA that the API takes back: `NAME.STRATEGY VH`. */
#ifndef PT_RESULT_FASTA_H
#define PT_RESULT_FASTA_H

#include <jansson.h>
#include <msgpack.h>
#include <stdbool.h>

/* Whether results of that type have sequences. */
bool pt_result_has_fasta(const char *job_type);

/* Writes a record for each; `name` is the variant's, whose white space becomes underscores. */
void pt_result_fasta(const char *job_type, const char *name, const char *job_id,
                     const json_t *results, msgpack_sbuffer *to);

#endif
