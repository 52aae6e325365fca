/* The pipeline processes, one a slot: started, kept between jobs, fed, read, watched, killed.
 *
 * Nothing here waits. What happens is told through one function, from inside pt_slots_run.
 */
#ifndef PT_SLOTS_H
#define PT_SLOTS_H

#include "worker/agent.h"

typedef struct pt_slots pt_slots_t;

/* `input` is READY, SAID, GARBAGE, STDERR or DIED, and borrowed. pt_slots_job and pt_slots_kill may
   be called from inside. */
typedef void pt_slots_tell_t(void *context, const pt_input_t *input);

/* `keeper` is the program paratope-keeper, `cgroup` where groups with limits of memory may be made,
   or ""; both are borrowed. NULL if the system gives no epoll descriptor. */
pt_slots_t *pt_slots_new(const char *keeper, const char *cgroup, pt_slots_tell_t *tell,
                         void *context);

/* Kills everything and waits (at most a second) until they are gone. */
void pt_slots_destroy(pt_slots_t **self_p);

/* Adds the next slot; its program starts with the first pt_slots_run, with arguments (at most
   PT_ARGUMENTS_MAX, ended by NULL; NULL: none). Program and arguments are borrowed. */
void pt_slots_add(pt_slots_t *self, const char *job_type, const char *program,
                  const char *const *arguments, const pt_limits_t *limits);

/* Writes a job's bytes (copied) to the pipeline; when it is not up yet, once it is. */
void pt_slots_job(pt_slots_t *self, size_t slot, const void *data, size_t size);

/* Kills it and all that it started; nothing is told any more but DIED. */
void pt_slots_kill(pt_slots_t *self, size_t slot);

/* From now on a pipeline that dies is not started again. */
void pt_slots_retire(pt_slots_t *self);

/* Readable when pt_slots_run has something to do. */
int pt_slots_descriptor(const pt_slots_t *self);

/* Does what can be done without waiting. `now` in milliseconds of the forward clock. */
void pt_slots_run(pt_slots_t *self, int64_t now);

/* When it must run again even if nothing becomes readable. */
int64_t pt_slots_deadline(const pt_slots_t *self);

/* The process in the slot, 0 if there is none. */
pid_t pt_slots_pid(const pt_slots_t *self, size_t slot);

#endif
