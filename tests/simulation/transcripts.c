#include "tests/simulation/transcripts.h"

#include "worker/transcript.h"

static char letter(int job, uint32_t attempt, uint64_t place)
{
    uint64_t n = place * 2654435761u ^ (uint64_t)job * 40503u ^ (uint64_t)attempt * 9176u;
    return (char)('a' + (n ^ n >> 13) % 26);
}

void transcript_write(world_t *world, int job, uint32_t attempt, char *text, size_t size)
{
    uint32_t *written = &job_at(world, job)->written[attempt];
    for (size_t i = 0; i < size; i++)
        text[i] = letter(job, attempt, *written + i);
    *written += (uint32_t)size;
}

size_t transcript_check(world_t *world, const log_piece_t *piece, const void *payload, size_t size)
{
    msgpack_unpacked object;
    size_t at = 0, n = 0;
    msgpack_unpacked_init(&object);
    msgpack_unpack_next(&object, payload, size, &at);
    const msgpack_object_str *text = &object.data.via.str;
    while (n < text->size && text->ptr[n] == letter(piece->job, piece->attempt, piece->offset + n))
        n++;
    if (n < text->size || piece->offset + n > job_at(world, piece->job)->written[piece->attempt])
        broken(world, "a piece of job %d.%u's log is not what it wrote at %llu", piece->job,
               piece->attempt, (unsigned long long)piece->offset);
    msgpack_unpacked_destroy(&object);
    return n;
}

void transcripts_may_be_lost(world_t *world)
{
    for (int i = 0; i < world->settings.jobs; i++)
        job_at(world, i)->log_lost = true;
}

/* Whether one of the pieces has the byte at that place. */
static bool has(const log_piece_t *pieces, size_t count, uint32_t attempt, uint64_t place)
{
    for (size_t i = 0; i < count; i++)
        if (pieces[i].attempt == attempt && pieces[i].offset <= place &&
            place < pieces[i].offset + pieces[i].size)
            return true;
    return false;
}

void transcript_check_whole(world_t *world, int job, uint32_t attempt, const log_piece_t *pieces,
                            size_t count)
{
    uint64_t total = job_at(world, job)->written[attempt], place = 0;
    if (total > 0)
        sight(world, SIGHT_LOG_WHOLE);
    while (place < total && (has(pieces, count, attempt, place) ||
                             (place >= PT_TRANSCRIPT_HEAD && place + PT_TRANSCRIPT_TAIL < total)))
        place++;
    if (place < total)
        broken(world, "the log of job %d.%u lacks the byte at %llu of %llu", job, attempt,
               (unsigned long long)place, (unsigned long long)total);
}
