/* A large payload in chunks: asked for, late, doubled, wrong. It is whole only when it is right.
 * Bytes: its size (2 bytes), then steps. */
#include "proto/chunks.h"
#include "fuzz.h"

#define SIZE_MAX_HERE (PT_PAYLOAD_MAX + 1 + 8 * 65535)

static uint8_t right[SIZE_MAX_HERE + PT_CHUNK_MAX];

/* A chunk as the wire has it: a bin of so many bytes. */
static pt_chunks_result_t give(pt_chunks_t *self, int64_t now, uint64_t offset, const void *from,
                               size_t size)
{
    static uint8_t payload[5 + PT_CHUNK_MAX] = {0xc6};
    for (size_t i = 0; i < 4; i++)
        payload[1 + i] = (uint8_t)(size >> (24 - 8 * i));
    memcpy(payload + 5, from, size);
    return pt_chunks_take(self, now, offset, payload, 5 + size);
}

static void ask(pt_chunks_t *self, int64_t now)
{
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    size_t count = pt_chunks_ask(self, now, offsets);
    for (size_t i = 0; i < count; i++)
        CHECK(offsets[i] < self->size && offsets[i] % PT_CHUNK_MAX == 0);
    CHECK(pt_chunks_due(self) > now); /* or whoever asks would spin */
}

/* One of the right ones, or with its first byte another, or of another size or place. */
static pt_chunks_result_t deliver(pt_chunks_t *self, int64_t now, reader_t *reader)
{
    unsigned how = next(reader);
    uint64_t offset = below(reader, 10) * (uint64_t)PT_CHUNK_MAX;
    if (offset >= self->size)
        return give(self, now, offset, right, PT_CHUNK_MAX);
    size_t size = self->size - offset < PT_CHUNK_MAX ? self->size - offset : PT_CHUNK_MAX;
    pt_chunks_result_t result;
    right[offset] ^= how == 1;
    size = how == 3 ? size / 2 + 1 : how == 4 ? PT_CHUNK_MAX : size;
    result = give(self, now, offset + (how == 2), right + offset, size);
    right[offset] ^= how == 1;
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    uint8_t digest[PT_DIGEST_SIZE];
    pt_chunks_t chunks;
    pt_chunks_result_t result = PT_CHUNKS_MORE;
    int64_t now = 1000;
    size_t whole = PT_PAYLOAD_MAX + 1 + 8u * (next(&reader) + 256u * next(&reader));
    for (size_t i = 0; right[1] == 0 && i < sizeof right; i++) /* the first time */
        right[i] = (uint8_t)(i * 7 + i / 251);
    pt_digest(right, whole, digest);
    CHECK(pt_chunks_open(&chunks, whole, digest, now));
    while (reader.left > 0 && result == PT_CHUNKS_MORE) {
        unsigned step = below(&reader, 8);
        now += step == 0 ? 100 * next(&reader) : 0;
        if (step == 1)
            pt_chunks_forget_asked(&chunks);
        else if (step == 2)
            ask(&chunks, now);
        else if (step > 2)
            result = deliver(&chunks, now, &reader);
        CHECK(chunks.there <= whole);
    }
    CHECK(result != PT_CHUNKS_WHOLE || memcmp(chunks.data, right, whole) == 0);
    CHECK(result != PT_CHUNKS_WRONG || chunks.again);
    pt_chunks_close(&chunks);
    return 0;
}
