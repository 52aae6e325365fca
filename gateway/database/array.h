/* Parameters that are arrays, as PostgreSQL's text format has them: '{…}'. */
#ifndef PT_ARRAY_H
#define PT_ARRAY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *text; /* owned; valid after pt_array_end */
    size_t size, room, count;
} pt_array_t;

void pt_array_text(pt_array_t *self, const char *text); /* NULL is null */
void pt_array_int(pt_array_t *self, int64_t number);
void pt_array_uuid(pt_array_t *self, const void *uuid);
const char *pt_array_end(pt_array_t *self);
void pt_array_clear(pt_array_t *self);

#endif
