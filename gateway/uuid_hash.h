/* zhashx tables whose keys are UUIDs: random bytes are their own hash. */
#ifndef PT_UUID_HASH_H
#define PT_UUID_HASH_H

#include "proto/uuid.h"

#include <czmq.h>

static inline size_t pt_uuid_hash(const void *key)
{
    size_t hash;
    memcpy(&hash, (const char *)key + PT_UUID_SIZE - sizeof hash, sizeof hash);
    return hash;
}

/* Keys are part of their item and are not copied; `destroy` frees an item, or is NULL. */
static inline zhashx_t *pt_uuid_table_new(zhashx_destructor_fn *destroy)
{
    zhashx_t *table = zhashx_new();
    zhashx_set_key_hasher(table, pt_uuid_hash);
    zhashx_set_key_comparator(table, pt_uuid_compare);
    zhashx_set_key_duplicator(table, NULL);
    zhashx_set_key_destructor(table, NULL);
    zhashx_set_destructor(table, destroy);
    return table;
}

#endif
