/*
 *  A job's msgpack map into what a pipeline computes on.
 */
#ifndef PT_INPUTS_H
#define PT_INPUTS_H

#include "worker/pipelines/pipeline.h"
#include <msgpack.h>

/* The value of a key, NULL when the map has none or is no map. */
const msgpack_object *pt_map_get(const msgpack_object *map, const char *key);

/* Is the object this str? */
bool pt_is_text(const msgpack_object *object, const char *text);

/* Reads `inputs` of a job; its name and chains borrow from it. False with *error (invalid_inputs)
 * when it has another form. To be cleared in any case. */
bool pt_inputs_read(const msgpack_object *job, pt_inputs_t *inputs, pt_error_t *error);
void pt_inputs_clear(pt_inputs_t *inputs);

#endif
