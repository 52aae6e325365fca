/* One pipeline process: its start, its three pipes, its end.
 *
 * It leads a process group of its own, has none of our descriptors, the default signals, and dies
 * when the thread that started it does: start children from the main thread only.
 */
#ifndef PT_CHILD_H
#define PT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    pid_t pid; /* also its group */
    int pidfd; /* readable when it has died; all descriptors are owned, -1 when closed */
    int in;    /* we write, without waiting */
    int out;   /* we read, without waiting */
    int err;
} pt_child_t;

/* Runs `program` with one argument, or with none if it is NULL. False: `why` says in words what
   stood in the way. */
bool pt_child_start(pt_child_t *self, const char *program, const char *argument, char *why,
                    size_t size);

/* SIGKILL to the whole group; only before the leader is reaped, while its number is its own. */
void pt_child_kill(const pt_child_t *self);

void pt_child_close(int *descriptor);
void pt_child_close_all(pt_child_t *self);

/* How often the kernel has killed something in our own cgroup for its memory; -1 if unknown. */
int64_t pt_child_oom_kills(void);

#endif
