/* Hash tables (zhashx) whose keys are ids inside the items, neither copied nor owned. */
#ifndef PT_TABLE_H
#define PT_TABLE_H

#include "proto/uuid.h"

#include <czmq.h>

static inline size_t pt_table_hash_uuid(const void *key)
{
    size_t hash; /* the last bytes of a UUID are random in every version that is used here */
    memcpy(&hash, (const uint8_t *)key + PT_UUID_SIZE - sizeof hash, sizeof hash);
    return hash;
}

/* Keys are NUL-ended text. */
static inline zhashx_t *pt_table_by_text(void)
{
    zhashx_t *self = zhashx_new();
    zhashx_set_key_duplicator(self, NULL);
    zhashx_set_key_destructor(self, NULL);
    return self;
}

/* Keys are pt_uuid_t. */
static inline zhashx_t *pt_table_by_uuid(void)
{
    zhashx_t *self = pt_table_by_text();
    zhashx_set_key_hasher(self, pt_table_hash_uuid);
    zhashx_set_key_comparator(self, pt_uuid_compare);
    return self;
}

#endif
