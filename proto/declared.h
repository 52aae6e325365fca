/* What a pipeline, or the worker's configuration, declares of a job type (PIPELINE.md, `declare`):
 * one msgpack map, the same from the pipeline to the agent and from there to the gateways. Whether
 * the schema is one is for options_schema.h to say.
 */
#ifndef PT_DECLARED_H
#define PT_DECLARED_H

#include "proto/wire.h"

#include <msgpack.h>

#define PT_TITLE_MAX 100
#define PT_SCHEMA_MAX (32 * 1024)
#define PT_VERSION_TEXT 24 /* "999999.999999.999999" and the NUL */

typedef struct {
    char title[PT_TITLE_MAX + 1];
    char version[PT_VERSION_TEXT]; /* three numbers without leading zeros */
    const char *schema;            /* borrowed, not ended by a NUL */
    size_t schema_size;
    char wants[PT_TYPES_MAX][PT_TYPE_MAX]; /* job types */
    size_t want_count;
} pt_declared_t;

/* Reads a map that is known to be well-formed; keys that are none of the four are passed over.
   Returns NULL, or what is not acceptable. */
const char *pt_declared_read(pt_declared_t *self, const void *data, size_t size);

/* Three numbers of at most 6 digits, with dots between. False: it is none. */
bool pt_declared_set_version(pt_declared_t *self, const char *text, size_t size);

void pt_declared_write(const pt_declared_t *self, msgpack_sbuffer *out);

#endif
