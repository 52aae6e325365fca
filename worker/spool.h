/* Large results in files, until they are settled: one of the folder for each job and attempt.
 *
 * Writing 64 MiB and taking their SHA-256 lasts a third of a second, so it is done in pieces, one
 * each turn of the loop; beats and pipelines go on in between. The folder belongs to one worker at
 * a time and is empty at its start: what a former one left there nobody knows any more.
 */
#ifndef PT_SPOOL_H
#define PT_SPOOL_H

#include "proto/message.h"

typedef struct pt_spool pt_spool_t;

/* Tells that it is written, or why not (then `digest` is NULL and nothing is kept); from inside
   pt_spool_run. */
typedef void pt_spool_tell_t(void *context, const pt_uuid_t *job_id, uint32_t attempt,
                             const uint8_t *digest, const char *why);

/* Without a folder (NULL) a private one in the system's folder for temporary files, which goes with
   the spool; those of workers that were killed are removed. NULL after a line in the log. */
pt_spool_t *pt_spool_new(const char *folder, pt_spool_tell_t *tell, void *context);

/* Removes what is left. */
void pt_spool_destroy(pt_spool_t **self);

/* Takes `data` (malloc'ed), to be written by pt_spool_run. */
void pt_spool_put(pt_spool_t *self, const pt_uuid_t *job_id, uint32_t attempt, void *data,
                  size_t size);

/* Removes it, written or not. */
void pt_spool_drop(pt_spool_t *self, const pt_uuid_t *job_id, uint32_t attempt);

/* Whether pt_spool_run has something to do. */
bool pt_spool_busy(const pt_spool_t *self);

/* Writes the next piece, at most a mebibyte. */
void pt_spool_run(pt_spool_t *self);

/* Reads `size` bytes at `offset` of what was written. Returns NULL, or why they are not to be had.
 */
const char *pt_spool_read(const pt_spool_t *self, const pt_uuid_t *job_id, uint32_t attempt,
                          uint64_t offset, void *to, size_t size);

#endif
