/* Where a page of a list ended, as text that a client hands back: opaque, short, and good for one
 * organisation alone. Keyset, not offset: what arrives meanwhile moves nothing.
 */
#ifndef PT_CURSOR_H
#define PT_CURSOR_H

#include "proto/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_CURSOR_TEXT 44 /* with its NUL */

/* The last row of a page, in the list's order. */
typedef struct {
    int64_t created_at; /* microseconds since 1970 */
    pt_uuid_t id;
} pt_position_t;

char *pt_cursor_write(const pt_position_t *at, const pt_uuid_t *org, char text[PT_CURSOR_TEXT]);

/* false: nothing that pt_cursor_write made for this organisation. */
bool pt_cursor_read(pt_position_t *at, const pt_uuid_t *org, const char *text, size_t size);

#endif
