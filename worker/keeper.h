/* Between the agent and paratope-keeper, the small program that starts one pipeline process, limits
 * it, waits for its end and leaves nothing of it: whatever the pipeline started, and however it hid
 * (double fork, setsid), comes to the keeper as an orphan and is killed.
 *
 * They talk over a socket of whole messages (SOCK_SEQPACKET), descriptor 3 of the keeper. Its end
 * of file, which is also the agent's death, means: kill everything. Any message means that a job
 * begins.
 */
#ifndef PT_KEEPER_H
#define PT_KEEPER_H

#include <sys/types.h>

#define PT_KEEPER_CONTROL 3

typedef enum {
    PT_KEPT_STARTED, /* the program runs as `pid`, which is also its process group */
    PT_KEPT_FAILED,  /* it could not be started: `error` */
    PT_KEPT_ENDED    /* it is gone with all that it started; the last message */
} pt_kept_kind_t;

typedef enum { PT_KEPT_NO_LIMIT, PT_KEPT_MEMORY, PT_KEPT_CPU } pt_kept_limit_t;

typedef struct {
    pt_kept_kind_t kind;
    pid_t pid;
    int error;             /* errno */
    int status;            /* as waitpid says it */
    pt_kept_limit_t limit; /* what it was ended by */
} pt_kept_t;

#endif
