/* Sequences that results have, as FASTA: `NAME.STRATEGY VH`, which the API takes back, or
 * `NAME.CHAIN` of DNA.
 */
#ifndef PT_RESULT_FASTA_H
#define PT_RESULT_FASTA_H

#include <jansson.h>
#include <msgpack.h>
#include <stdbool.h>

/* Whether results of that type have sequences. */
bool pt_result_has_fasta(const char *job_type);

/* The key under which results of that type have a list whose items are told apart; NULL: they are
   such a list themselves, or have none. */
const char *pt_result_list(const char *job_type);

/* Writes a record for each; `name` is the variant's, whose white space becomes underscores. */
void pt_result_fasta(const char *job_type, const char *name, const char *job_id,
                     const json_t *results, msgpack_sbuffer *to);

#endif
