#include "tests/simulation/declarations.h"

#include "proto/declared.h"

#include <stdio.h>

void declaration_write(const declaration_t *self, msgpack_sbuffer *to)
{
    pt_declared_t declared = {.schema = "{}", .schema_size = 2};
    snprintf(declared.title, sizeof declared.title, "%d", self->title);
    snprintf(declared.version, sizeof declared.version, "1.%d.0", self->version);
    pt_declared_write(&declared, to);
}

bool declaration_read(declaration_t *self, const void *payload, size_t size)
{
    pt_declared_t declared;
    if (pt_declared_read(&declared, payload, size))
        return false;
    self->title = atoi(declared.title);
    self->version = atoi(declared.version + 2);
    return self->version > 0;
}
