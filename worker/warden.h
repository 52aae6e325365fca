/* A small process that outlives the agent by a moment: if the agent is killed, it kills the process
   groups of the pipelines. The kernel kills their leaders by itself, but not what those started. */
#ifndef PT_WARDEN_H
#define PT_WARDEN_H

#include <sys/types.h>

typedef struct {
    pid_t pid;
    int to; /* its end of file is the agent's death */
} pt_warden_t;

/* Before the first thread, because it goes on in the forked process. If there can be none, the
   other functions do nothing. */
void pt_warden_start(pt_warden_t *self);

/* The group is one of ours from now on, or no longer. */
void pt_warden_add(const pt_warden_t *self, pid_t group);
void pt_warden_remove(const pt_warden_t *self, pid_t group);

/* Ends it; it kills the groups that were not removed. */
void pt_warden_stop(pt_warden_t *self);

#endif
