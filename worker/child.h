/* One pipeline process, by way of its keeper: its start, its three pipes, its end.
 *
 * It leads a process group of its own, has none of our descriptors and the default signals. When it
 * ends, is killed, or the agent dies, nothing of what it started is left: see keeper.h.
 */
#ifndef PT_CHILD_H
#define PT_CHILD_H

#include "worker/keeper.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    pid_t keeper; /* our child */
    pid_t pid;    /* the pipeline, and its group */
    int pidfd;   /* readable when the keeper has ended; all descriptors are owned, -1 when closed */
    int control; /* the keeper's messages */
    int in;      /* we write, without waiting */
    int out;     /* we read, without waiting */
    int err;
} pt_child_t;

#define PT_ARGUMENTS_MAX 32

/* All borrowed. */
typedef struct {
    const char *keeper; /* the program paratope-keeper */
    const char *limits; /* as pt_limits_read takes them */
    const char *cgroup; /* where a group may be made, or "" */
    const char *program;
    const char *const *arguments; /* ended by NULL; NULL: none */
} pt_command_t;

extern const pt_child_t pt_child_none;

/* Runs the program. False: `why` says in words what stood in the way. */
bool pt_child_start(pt_child_t *self, const pt_command_t *command, char *why, size_t size);

/* Says that a job begins: what is limited for each job is counted from here. */
void pt_child_begin_job(const pt_child_t *self);

/* Kills all of it; the keeper tells when that is done. */
void pt_child_kill(const pt_child_t *self);

/* The keeper has ended: what it said of that, and reaps it. False: it was killed and said nothing.
 */
bool pt_child_reap(const pt_child_t *self, pt_kept_t *ended);

void pt_child_close(int *descriptor);
void pt_child_close_all(pt_child_t *self);

#endif
