/* The world of one seed: virtual time, the processes in it, what happens next, what has been seen.
 *
 * Everything that happens is an event in one queue, in order of virtual time (microseconds). An
 * event belongs to a node: a stopped node takes its events later, a dead one never, one that was
 * started again only its own. One event is one step.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "tests/simulation/coverage.h"
#include "tests/simulation/random.h"

#include <stdlib.h>
#include <string.h>

#define GATEWAYS_MAX 3
#define BROKERS 2
#define WORKERS_MAX 5
#define ORGS_MAX 3
#define TYPES_MAX 3
#define ANY_ORG ORGS_MAX
#define ANY_TYPE TYPES_MAX
#define MS 1000
#define SECOND 1000000

typedef enum { DATABASE, GATEWAY, BROKER, WORKER, SUBSCRIBER, CLIENT } kind_t;

typedef struct world world_t;
typedef struct node node_t;
typedef struct event event_t;
typedef void handler_t(world_t *world, node_t *node, event_t *event);

struct event {
    int64_t at;
    uint64_t order; /* among those of one time */
    handler_t *handler;
    node_t *node;
    unsigned generation;
    bool is_message, was_deferred;
    int64_t number;
    void *data; /* malloc'ed, freed after the handler, or NULL */
};

struct node {
    kind_t kind;
    int index;
    bool up;
    unsigned generation; /* of the process: one more at each start */
    int64_t paused_until;
    unsigned unread; /* messages that came while it was stopped */
    double rate;     /* of its clocks, beside the world's */
    int64_t offset;  /* of its clock, ms */
    int64_t wall;    /* how wrong its wall clock is, µs */
    void *state;     /* broker_t, worker_t, …; NULL while it is down */
};

/* How hard this seed is, each in permille of the cases, or a number. Drawn at the start; some are 0
   in many seeds, so that each fault is also met without the others. */
typedef struct {
    int gateways, workers, orgs, types, jobs;
    int64_t chaos_us;    /* how long faults happen */
    int64_t fault_every; /* µs between two, on average; 0: none */
    int event_loss;      /* of messages on the event path */
    int event_twice;
    int slow; /* of messages: up to `slow_us` late */
    int64_t slow_us;
    int send_fails;                          /* of a broker's sends: the peer is taken for gone */
    int db_away;                             /* statements that are not answered, executed or not */
    int db_locked;                           /* statements that end for a lock or a deadlock */
    int db_slow;                             /* statements that take up to 6 s */
    int limits[ORGS_MAX + 1][TYPES_MAX + 1]; /* jobs that are out at once, ANY_ORG's and ANY_TYPE's
                                                too; 0: no limit */
    int weights[ORGS_MAX];                   /* turns in a round */
    int64_t queue_timeout_us;                /* that a job waits while nobody serves its type */
    bool picky;                              /* each worker leaves one type out */
    int large;                               /* results that do not fit into a message */
    int large_inputs;                        /* inputs that do not fit into a message */
    int fetch_loss;                          /* fetches of inputs that a gateway drops */
    size_t supply_bytes;                     /* of them in a gateway's memory */
    int versions;        /* of each job type that workers declare; 0: they declare nothing */
    int logs;            /* jobs that write to standard error */
    int spool_fails;     /* large results that cannot be written, or read any more */
    int cancel;          /* jobs that are canceled some time */
    int batch_max;       /* facts or submissions in one transaction */
    int facts_max;       /* that wait for the recorder */
    int page_max;        /* jobs in one have? */
    size_t broker_bytes; /* of queued inputs */
    uint64_t faults;     /* a bit for each kind of fault_t that may happen */
} settings_t;

struct network;
struct jobs;
struct database;

struct world {
    random_t random;
    int64_t now; /* µs */
    uint64_t steps, order;
    settings_t settings;
    bool calm;   /* faults are off */
    bool ambush; /* a fault waits until some gateway is at that point */
    fault_t ambush_fault;
    point_t ambush_point;
    event_t *queue;
    size_t queued, room;
    node_t database_node, gateways[GATEWAYS_MAX], brokers[BROKERS], workers[WORKERS_MAX],
        subscribers[ORGS_MAX], client;
    struct network *network;
    struct database *database;
    struct jobs *jobs;
    coverage_t *coverage;
    bool failed;
    char why[400];
    bool tracing;
    void (*show)(const char *line);
};

/* `delay` µs from now on. Takes `data`. */
void after(world_t *world, node_t *node, int64_t delay, handler_t *handler, int64_t number,
           void *data);
/* As `after`, for what the node reads from outside: it waits unread while the node is stopped. */
void message_at(world_t *world, node_t *node, int64_t at, handler_t *handler, int64_t number,
                void *data);
/* Takes the next event and does it; false if there is none. */
bool world_step(world_t *world);
void world_clear_queue(world_t *world);

/* The node's own clocks. */
int64_t local_ms(const world_t *world, const node_t *node);
int64_t wall_us(const world_t *world, const node_t *node);
/* How long from now until its clock shows that. */
int64_t until_local(const world_t *world, const node_t *node, int64_t ms);

/* A promise is broken: the seed ends. */
__attribute__((format(printf, 2, 3))) void broken(world_t *world, const char *format, ...);
__attribute__((format(printf, 3, 4))) void trace_line(world_t *world, const node_t *node,
                                                      const char *format, ...);
#define trace(WORLD, NODE, ...)                                                                    \
    do {                                                                                           \
        if ((WORLD)->tracing)                                                                      \
            trace_line(WORLD, NODE, __VA_ARGS__);                                                  \
    } while (0)

const char *node_name(const node_t *node);
void *must_alloc(size_t size); /* zeroed; ends the program without memory */

static inline void sight(const world_t *world, sight_t what)
{
    world->coverage->sights[what]++;
}

static inline int64_t draw(world_t *world, int64_t low, int64_t high)
{
    return random_between(&world->random, low, high);
}

/* A fault that happens by itself: never once faults are off. */
static inline bool chance(world_t *world, int permille)
{
    return !world->calm && permille > 0 && random_chance(&world->random, permille);
}

#endif
