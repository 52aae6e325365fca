/* What workers declare of job types: a version, and a title that may differ under one version. */
#ifndef SIM_DECLARATIONS_H
#define SIM_DECLARATIONS_H

#include "tests/simulation/jobs.h"

#include <msgpack.h>

void declaration_write(const declaration_t *self, msgpack_sbuffer *to);
bool declaration_read(declaration_t *self, const void *payload, size_t size);
static inline bool declaration_equal(const declaration_t *a, const declaration_t *b)
{
    return a->version == b->version && a->title == b->title;
}

#endif
