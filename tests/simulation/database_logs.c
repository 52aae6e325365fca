/* As sql_store of gateway/record/logs.c: of each piece the longest version, of jobs that there are,
 * of that organisation, up to the current attempt, 16 of an attempt. */
#include "tests/simulation/database_inside.h"

#include "tests/simulation/transcripts.h"

#define PIECES_MAX 16

static void store(world_t *world, const log_piece_t *piece)
{
    record_t *record = &world->database->records[piece->job];
    size_t of_attempt = 0;
    for (size_t i = 0; i < record->piece_count; i++) {
        log_piece_t *old = &record->pieces[i];
        of_attempt += old->attempt == piece->attempt;
        if (old->attempt != piece->attempt || old->offset != piece->offset)
            continue;
        sight(world, piece->size > old->size ? SIGHT_LOG_GREW : SIGHT_LOG_AGAIN);
        if (piece->size > old->size)
            old->size = piece->size;
        return;
    }
    if (of_attempt == PIECES_MAX) { /* an honest worker has ten */
        broken(world, "job %d.%u's log has more than %d pieces", piece->job, piece->attempt,
               PIECES_MAX);
        return;
    }
    record->pieces = realloc(record->pieces, (record->piece_count + 1) * sizeof *record->pieces);
    record->pieces[record->piece_count++] = *piece;
}

void db_store_logs(world_t *world, statement_t *ask)
{
    for (size_t i = 0; i < ask->piece_count; i++) {
        const log_piece_t *piece = &ask->pieces[i];
        const record_t *record = &world->database->records[piece->job];
        if (record->exists && job_at(world, piece->job)->org == piece->org &&
            piece->attempt <= record->row.attempt)
            store(world, piece);
        else
            broken(world, "a log comes of job %d.%u, which there is not", piece->job,
                   piece->attempt);
    }
}

void db_check_log(world_t *world, int job)
{
    const record_t *record = &world->database->records[job];
    bool by_its_pipeline =
        record->row.state == PT_COMPLETED ||
        (record->row.state == PT_FAILED && strcmp(record->row.code, "script") == 0);
    if (by_its_pipeline && !job_at(world, job)->log_lost)
        transcript_check_whole(world, job, record->row.attempt, record->pieces,
                               record->piece_count);
}
