/* What pipelines write to standard error: each byte follows from the job, the attempt and its
 * place, so that a piece of a log tells whose it is and where it belongs.
 */
#ifndef SIM_TRANSCRIPTS_H
#define SIM_TRANSCRIPTS_H

#include "tests/simulation/jobs.h"

/* The next `size` bytes of it. */
void transcript_write(world_t *world, int job, uint32_t attempt, char *text, size_t size);

/* The bytes of a log's payload; they must be of that job and attempt, at that place. */
size_t transcript_check(world_t *world, const log_piece_t *piece, const void *payload, size_t size);

/* A connection or a process has gone, and with it perhaps pieces of any job's log. */
void transcripts_may_be_lost(world_t *world);

/* What is stored of it is all that is kept of so much: the first 48 KiB and the last 16. */
void transcript_check_whole(world_t *world, int job, uint32_t attempt, const log_piece_t *pieces,
                            size_t count);

#endif
