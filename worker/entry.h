/* Entries of the worker's configuration: how one job type is served, or what it takes
 * (docs/plugins.md).
 *
 * What is wrong is said in one line and ends the program with 2. Everything lives until its end.
 */
#ifndef PT_ENTRY_H
#define PT_ENTRY_H

#include "proto/program/options.h"
#include "worker/agent.h"
#include "worker/child.h"

typedef enum {
    PT_ENTRY_PROGRAM,
    PT_ENTRY_ARGUMENTS, /* words separated by spaces; before those of `argument` */
    PT_ENTRY_ARGUMENT,  /* one, with its spaces; it may be said many times */
    PT_ENTRY_SLOTS,
    PT_ENTRY_LIMITS,  /* as pt_limits_read takes them */
    PT_ENTRY_TIMEOUT, /* seconds */
    PT_ENTRY_OPTIONS, /* a file: the JSON Schema of the options */
    PT_ENTRY_TITLE,
    PT_ENTRY_VERSION,
    PT_ENTRY_WANTS, /* job types separated by spaces */
    PT_ENTRY_KEYS
} pt_entry_key_t;

typedef struct {
    char job_type[PT_TYPE_MAX];
    const char *values[PT_ENTRY_KEYS]; /* NULL where nothing is said; borrowed from the options */
    const char *argument[PT_ARGUMENTS_MAX]; /* each `argument`, in order; likewise */
    size_t argument_count;
} pt_entry_t;

/* Reads TYPE.KEY=VALUE of `pipelines`; of a key that is said twice, but for `argument`, the last
   one counts. Returns how many types there are. */
size_t pt_entries_read(pt_entry_t entries[PT_TYPES_MAX], const pt_options_t *options);

/* What the entry declares, if it names a file of options. */
void pt_entry_declare(const pt_entry_t *self, pt_agent_type_t *type);

_Noreturn void pt_worker_refuse(const char *what, const char *which);

#endif
