/* A job's inputs as its pipeline reads them (proto/PIPELINE.md), from a variant's row. */
#ifndef PT_INPUTS_H
#define PT_INPUTS_H

#include "proto/uuid.h"

#include <msgpack.h>
#include <stdbool.h>

/* Appends the map to `out`. `chains` is the column's JSON. False if that is none, or the inputs are
   larger than PT_PAYLOAD_MAX. */
bool pt_inputs_pack(const pt_uuid_t *variant_id, const char *name, const char *format,
                    const char *chains, msgpack_sbuffer *out);

#endif
