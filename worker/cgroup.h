/* Memory by control groups (version 2), where the worker has one that it may write: one for each
 * pipeline process and all that it starts, made by its keeper.
 *
 * The kernel takes limits below a group only if no process is in the group itself, so the agent
 * goes into a group below its own first.
 */
#ifndef PT_CGROUP_H
#define PT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_CGROUP_PATH 600

typedef struct {
    char path[PT_CGROUP_PATH]; /* empty: none */
} pt_cgroup_t;

/* For the agent, before its first child: the folder below which groups with limits of memory may be
   made; what was left in it by a worker before is removed. False: there is none, and `why` says so.
 */
bool pt_cgroup_prepare(pt_cgroup_t *self, char *why, size_t size);

/* Makes a group below `base` that may use `memory` bytes (0: no group). One that cannot be made is
   none. */
void pt_cgroup_make(pt_cgroup_t *self, const char *base, int64_t memory);

/* Puts the calling process into it; true also when there is none. */
bool pt_cgroup_enter(const pt_cgroup_t *self);

/* How often the kernel killed something in it for its memory; -1 if unknown. */
int64_t pt_cgroup_kills(const pt_cgroup_t *self);

/* Once nobody is in it. */
void pt_cgroup_remove(const pt_cgroup_t *self);

/* The group that this process is in. */
void pt_cgroup_own(pt_cgroup_t *self);

#endif
