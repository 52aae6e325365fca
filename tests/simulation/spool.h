/* The large results that a worker keeps until they are settled. */
#ifndef SIM_SPOOL_H
#define SIM_SPOOL_H

#include "proto/uuid.h"

#include <stddef.h>
#include <stdint.h>

#define KEPT_MAX 64

typedef struct {
    pt_uuid_t job_id;
    uint32_t attempt;
    char *data; /* owned */
    size_t size;
} kept_t;

typedef struct {
    kept_t items[KEPT_MAX];
    size_t count;
} spool_t;

/* Copies; false: it is full. */
bool spool_put(spool_t *self, const pt_uuid_t *job_id, uint32_t attempt, const void *data,
               size_t size);
/* NULL if there is none. */
const kept_t *spool_find(const spool_t *self, const pt_uuid_t *job_id, uint32_t attempt);
void spool_drop(spool_t *self, const pt_uuid_t *job_id, uint32_t attempt);
void spool_clear(spool_t *self);

#endif
