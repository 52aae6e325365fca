/* A job's inputs as its pipeline reads them (proto/PIPELINE.md), from its row and its variant's. */
#ifndef PT_INPUTS_H
#define PT_INPUTS_H

#include "proto/uuid.h"

#include <msgpack.h>
#include <stdbool.h>

#define PT_EARLIER_MAX 8

/* A completed job that comes along; `results` and `files` are JSON, files may be NULL. */
typedef struct {
    const char *job_type;
    pt_uuid_t job_id;
    const char *results, *files;
} pt_earlier_t;

/* The columns, `chains` and `options` JSON; options may be NULL. All borrowed. */
typedef struct {
    pt_uuid_t variant_id;
    const char *name, *format, *chains, *options;
    pt_earlier_t earlier[PT_EARLIER_MAX];
    size_t earlier_count;
} pt_inputs_t;

/* Why a job has no inputs that could be sent: it fails with that. */
typedef struct {
    const char *code, *message;
} pt_inputs_fault_t;

/* Appends the map to `out`, the same bytes for the same columns each time; earlier jobs that do not
   fit are named and left out. NULL, or what is wrong: chains that are none, options that msgpack or
   text cannot have, more than PT_LARGE_MAX bytes. */
const pt_inputs_fault_t *pt_inputs_pack(const pt_inputs_t *inputs, msgpack_sbuffer *out);

#endif
