#include "proto/chunks.h"

#include "proto/value.h"

#include <stdlib.h>
#include <string.h>

void pt_digest(const void *data, size_t size, uint8_t digest[PT_DIGEST_SIZE])
{
    crypto_hash_sha256(digest, data, size);
}

bool pt_chunks_open(pt_chunks_t *self, size_t size, const uint8_t digest[PT_DIGEST_SIZE],
                    int64_t now)
{
    memset(self, 0, sizeof *self);
    self->data = malloc(size); /* the system gives the pages as they are filled */
    self->size = size;
    self->heard = now;
    memcpy(self->digest, digest, sizeof self->digest);
    crypto_hash_sha256_init(&self->hash);
    return self->data != NULL;
}

void pt_chunks_close(pt_chunks_t *self)
{
    free(self->data);
    memset(self, 0, sizeof *self);
}

/* The window's n-th chunk, if the payload reaches that far. */
static bool is_within(const pt_chunks_t *self, size_t n)
{
    return self->there + n * PT_CHUNK_MAX < self->size;
}

size_t pt_chunks_ask(pt_chunks_t *self, int64_t now, uint64_t offsets[PT_CHUNKS_UNDER_WAY])
{
    size_t count = 0;
    for (size_t n = 0; n < PT_CHUNKS_UNDER_WAY && is_within(self, n); n++) {
        if (self->window[n].come ||
            (self->window[n].asked && now - self->window[n].at < PT_CHUNKS_PATIENCE))
            continue;
        self->window[n].asked = true;
        self->window[n].at = now;
        offsets[count++] = self->there + n * PT_CHUNK_MAX;
    }
    return count;
}

int64_t pt_chunks_due(const pt_chunks_t *self)
{
    int64_t due = INT64_MAX;
    for (size_t n = 0; n < PT_CHUNKS_UNDER_WAY && is_within(self, n); n++) {
        int64_t at = self->window[n].asked ? self->window[n].at + PT_CHUNKS_PATIENCE : INT64_MIN;
        if (!self->window[n].come && at < due)
            due = at;
    }
    return due;
}

void pt_chunks_forget_asked(pt_chunks_t *self)
{
    for (size_t n = 0; n < PT_CHUNKS_UNDER_WAY; n++)
        self->window[n].asked = false;
}

static size_t size_at(const pt_chunks_t *self, size_t offset)
{
    return self->size - offset < PT_CHUNK_MAX ? self->size - offset : PT_CHUNK_MAX;
}

/* Takes the first of the window into the hash, and moves the window on. */
static void move_on(pt_chunks_t *self)
{
    size_t size = size_at(self, self->there);
    crypto_hash_sha256_update(&self->hash, self->data + self->there, size);
    self->there += size;
    memmove(self->window, self->window + 1, sizeof self->window - sizeof *self->window);
    memset(&self->window[PT_CHUNKS_UNDER_WAY - 1], 0, sizeof *self->window);
}

static pt_chunks_result_t judge(pt_chunks_t *self)
{
    uint8_t digest[PT_DIGEST_SIZE];
    crypto_hash_sha256_final(&self->hash, digest);
    if (memcmp(digest, self->digest, sizeof digest) == 0)
        return PT_CHUNKS_WHOLE;
    if (self->again)
        return PT_CHUNKS_WRONG;
    self->again = true;
    self->there = 0;
    memset(self->window, 0, sizeof self->window);
    crypto_hash_sha256_init(&self->hash);
    return PT_CHUNKS_MORE;
}

/* Whether the chunk at that offset is one that is waited for; `*n`: its place in the window. */
static bool is_awaited(const pt_chunks_t *self, uint64_t offset, size_t *n)
{
    if (offset < self->there || offset >= self->size || (offset - self->there) % PT_CHUNK_MAX != 0)
        return false;
    *n = (offset - self->there) / PT_CHUNK_MAX;
    return *n < PT_CHUNKS_UNDER_WAY && !self->window[*n].come;
}

pt_chunks_result_t pt_chunks_take(pt_chunks_t *self, int64_t now, uint64_t offset,
                                  const void *payload, size_t size)
{
    size_t n;
    pt_span_t at = {payload, size};
    pt_value_t bytes = pt_value_next(&at);
    if (!is_awaited(self, offset, &n) || bytes.size != size_at(self, offset))
        return PT_CHUNKS_MORE;
    memcpy(self->data + offset, bytes.bytes, bytes.size);
    self->window[n].come = true;
    self->heard = now;
    while (self->there < self->size && self->window[0].come)
        move_on(self);
    return self->there == self->size ? judge(self) : PT_CHUNKS_MORE;
}
