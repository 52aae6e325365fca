#include "gateway/http/auth.h"

#include "gateway/http/token.h"
#include "gateway/store/read.h"
#include "proto/program/process.h"

#include <pthread.h>
#include <sodium.h>

#define ENTRIES 4096 /* a hash has one place; a newcomer takes it */
#define FRESH_MS 500

typedef struct {
    uint8_t hash[PT_TOKEN_HASH];
    pt_caller_t caller;
    uint64_t generation;
    bool used;
} entry_t;

struct pt_auth {
    const pt_gateway_t *gateway; /* borrowed */
    pthread_mutex_t lock;
    entry_t entries[ENTRIES];
};

pt_auth_t *pt_auth_new(const pt_gateway_t *gateway)
{
    pt_auth_t *self = zmalloc(sizeof *self);
    self->gateway = gateway;
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

void pt_auth_destroy(pt_auth_t **self_p)
{
    if (!*self_p)
        return;
    pthread_mutex_destroy(&(*self_p)->lock);
    sodium_memzero(*self_p, sizeof **self_p);
    free(*self_p);
    *self_p = NULL;
}

/* The hash is uniform, so any bits of it choose a place. */
static entry_t *place_of(pt_auth_t *self, const uint8_t hash[PT_TOKEN_HASH])
{
    return &self->entries[(size_t)(hash[0] << 8 | hash[1]) % ENTRIES];
}

static bool may_trust_cache(const pt_auth_t *self)
{
    pt_health_t health;
    self->gateway->health(self->gateway->context, &health);
    return health.database_ping && pt_clock_ms() - health.database_ping <= FRESH_MS;
}

static bool find(pt_auth_t *self, const uint8_t hash[PT_TOKEN_HASH], uint64_t generation,
                 pt_caller_t *caller)
{
    pthread_mutex_lock(&self->lock);
    const entry_t *entry = place_of(self, hash);
    bool found = entry->used && entry->generation == generation &&
                 sodium_memcmp(entry->hash, hash, PT_TOKEN_HASH) == 0;
    if (found)
        *caller = entry->caller;
    pthread_mutex_unlock(&self->lock);
    return found;
}

static void keep(pt_auth_t *self, const uint8_t hash[PT_TOKEN_HASH], uint64_t generation,
                 const pt_caller_t *caller)
{
    pthread_mutex_lock(&self->lock);
    entry_t *entry = place_of(self, hash);
    memcpy(entry->hash, hash, PT_TOKEN_HASH);
    entry->caller = *caller;
    entry->generation = generation;
    entry->used = true;
    pthread_mutex_unlock(&self->lock);
}

pt_auth_outcome_t pt_auth_check(pt_auth_t *self, const char *authorization, pt_caller_t *caller)
{
    const char *token = pt_token_in(authorization);
    if (!token)
        return PT_AUTH_REFUSED;
    uint8_t hash[PT_TOKEN_HASH];
    pt_token_hash(token, PT_TOKEN_SIZE, hash);
    /* Before the database is asked: a token revoked meanwhile raises it, and what we keep is void.
     */
    uint64_t generation = pt_gateway_token_generation(self->gateway->context);
    if (may_trust_cache(self) && find(self, hash, generation, caller))
        return PT_AUTH_KNOWN;
    bool found;
    if (pt_store_token(self->gateway->pool, hash, caller, &found) != PT_PG_OK)
        return PT_AUTH_UNAVAILABLE;
    if (!found)
        return PT_AUTH_REFUSED;
    keep(self, hash, generation, caller);
    return PT_AUTH_KNOWN;
}
