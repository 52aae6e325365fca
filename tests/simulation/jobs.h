/* The jobs of a seed, as their clients mean them, and what was promised about each. */
#ifndef SIM_JOBS_H
#define SIM_JOBS_H

#include "proto/uuid.h"
#include "tests/simulation/world.h"

#define JOBS_MAX 256
#define ATTEMPTS_MAX 512
#define BAD_ALWAYS 250 /* bad tries that never come to an end */

/* What its pipeline does. */
typedef enum {
    SCRIPT_GOOD,
    SCRIPT_FAILS,        /* with an error that ends the job, `bad_tries` times; then good */
    SCRIPT_RETRIES,      /* an error that may go away, `bad_tries` times; then good */
    SCRIPT_CRASHES,      /* the process dies, `bad_tries` times; then good */
    SCRIPT_HANGS,        /* until its time-out, `bad_tries` times; then good */
    SCRIPT_GARBAGE,      /* writes what is no message, `bad_tries` times; then good */
    SCRIPT_UNACCEPTABLE, /* its result is one that the database refuses */
    SCRIPTS
} script_t;

typedef struct {
    pt_uuid_t id;
    int org, type, priority;
    script_t script;
    int bad_tries; /* that are left, or BAD_ALWAYS */
    bool writes;   /* to standard error */
    int steps;     /* of progress */
    int64_t step_us;
    size_t large;     /* bytes of its result, if it does not fit into a message; else 0 */
    size_t inputs;    /* bytes of its inputs, likewise */
    pt_uuid_t sender; /* the gateway's instance that sent its inputs last */
    int64_t could_go; /* since when it may go and there is a slot; 0: not now */
    bool accepted;    /* answered with 202 */
    bool cancel_asked;
    uint8_t started[ATTEMPTS_MAX];  /* how often each attempt was given to a pipeline */
    uint32_t written[ATTEMPTS_MAX]; /* bytes to standard error, by each attempt */
    bool log_lost;                  /* a piece of its log may not have come */
} job_t;

/* Of a job type; version 0: there is none. */
typedef struct {
    int version, title;
} declaration_t;

/* A piece of a job's log; what it says follows from the rest (transcripts.h). */
typedef struct {
    int job, org;
    uint32_t attempt;
    uint64_t offset;
    size_t size;
} log_piece_t;

extern const char *const job_types[TYPES_MAX];

int type_find(const char *job_type);

pt_uuid_t make_id(world_t *world, uint32_t index);
pt_uuid_t org_id(int org);
/* The number of the job, or −1. */
int job_find(const world_t *world, const pt_uuid_t *id);
job_t *job_at(const world_t *world, int index);
int org_find(const pt_uuid_t *id);

void jobs_new(world_t *world);
/* Plans what clients do: submissions and cancellations. */
void clients_start(world_t *world);
/* The gateway says 202 now: the job must be durable. */
void client_accepted(world_t *world, node_t *gateway, int job);

/* A pipeline was given this attempt. */
void job_started(world_t *world, const node_t *worker, int job, uint32_t attempt);

#endif
