/* A large payload on its way here: what is asked for, what has come, whether it is right. Pure;
 * PROTOCOL.md section 3. The same for a gateway that fetches a result and an agent that fetches
 * inputs.
 */
#ifndef PT_CHUNKS_H
#define PT_CHUNKS_H

#include "proto/message.h"

#include <sodium.h>

#define PT_CHUNKS_UNDER_WAY 4
#define PT_CHUNKS_PATIENCE (PT_MISSED_MAX * PT_INTERVAL_MS) /* then a chunk is asked for again */

typedef struct {
    uint8_t *data; /* owned; the bytes up to `there` have come and are in the hash */
    size_t size, there;
    uint8_t digest[PT_DIGEST_SIZE];
    /* The chunks from `there` on; one that has come before its predecessor stays in its place. */
    struct {
        bool asked, come;
        int64_t at; /* when it was asked for, milliseconds */
    } window[PT_CHUNKS_UNDER_WAY];
    crypto_hash_sha256_state hash;
    bool again;    /* all of it came once and was wrong */
    int64_t heard; /* when something came, or it began */
} pt_chunks_t;

/* `size` and `digest` are what the message says. False: there is no memory for it. */
bool pt_chunks_open(pt_chunks_t *self, size_t size, const uint8_t digest[PT_DIGEST_SIZE],
                    int64_t now);
void pt_chunks_close(pt_chunks_t *self);

/* Which offsets are to be asked for now, because they were not yet or in vain; they count as asked.
   Returns how many. */
size_t pt_chunks_ask(pt_chunks_t *self, int64_t now, uint64_t offsets[PT_CHUNKS_UNDER_WAY]);

/* When to ask again if nothing comes. */
int64_t pt_chunks_due(const pt_chunks_t *self);

/* Whoever was asked is gone: what is under way is asked for anew at once. */
void pt_chunks_forget_asked(pt_chunks_t *self);

typedef enum {
    PT_CHUNKS_MORE,
    PT_CHUNKS_WHOLE, /* `data` is what its digest says */
    PT_CHUNKS_WRONG  /* for the second time: it will not come right */
} pt_chunks_result_t;

/* Takes one, the bytes of a chunk's payload. One that is not waited for, or has not the size that
   its offset asks for, changes nothing. After a wrong digest everything is asked for once more. */
pt_chunks_result_t pt_chunks_take(pt_chunks_t *self, int64_t now, uint64_t offset,
                                  const void *payload, size_t size);

/* SHA-256 of a whole payload. */
void pt_digest(const void *data, size_t size, uint8_t digest[PT_DIGEST_SIZE]);

#endif
