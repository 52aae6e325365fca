/* What the runs have reached: rows of the job table, verbs at roles, faults at points. What must be
 * reached and was not fails the run, and so does what cannot be reached and was.
 */
#ifndef SIM_COVERAGE_H
#define SIM_COVERAGE_H

#include "proto/job.h"

typedef enum { AT_GATEWAY, AT_BROKER, AT_WORKER, AT_SUBSCRIBER, ROLES } role_t;

typedef enum {
    FAULT_GATEWAY_DIES,
    FAULT_GATEWAY_DRAINS,
    FAULT_GATEWAY_STOPS, /* SIGSTOP, and later SIGCONT */
    FAULT_BROKER_DIES,
    FAULT_BROKER_DRAINS,
    FAULT_BROKER_STOPS,
    FAULT_WORKER_DIES,
    FAULT_WORKER_DRAINS,
    FAULT_WORKER_STOPS,
    FAULT_FLEET_DIES, /* all workers, for longer than brokers wait for them */
    FAULT_DATABASE_DIES,
    FAULT_DATABASE_STOPS,
    FAULT_CLOCK_JUMPS,
    FAULT_CONNECTION_BREAKS,
    FAULT_LINK_STALLS,  /* one way or both: late, in order, unless it breaks */
    FAULT_EVENTS_DEAF,  /* only the event path between two */
    FAULT_DATABASE_CUT, /* a gateway does not reach the database */
    FAULTS
} fault_t;

/* In the middle of what. */
typedef enum {
    POINT_IDLE,
    POINT_JOBS_HELD,         /* broker: queued or leased */
    POINT_IN_HELLO,          /* worker: no session */
    POINT_RUNNING,           /* worker: a pipeline computes */
    POINT_UNSETTLED,         /* worker: an ending nobody has settled */
    POINT_ROWS_LOCKED,       /* gateway: between reading the rows and the commit's statement */
    POINT_COMMIT_UNDER_WAY,  /* gateway: the commit was sent, the database has not done it */
    POINT_COMMIT_UNANSWERED, /* gateway: the database has done it, nobody knows */
    POINT_UNPUBLISHED,       /* gateway: committed, events not published */
    POINT_UNSETTLED_YET,     /* gateway: published, the worker not told */
    POINT_TRANSACTION_OPEN,  /* database */
    POINTS
} point_t;

/* What the database does instead of answering. */
typedef enum {
    DB_NEVER_CAME, /* not executed, not answered */
    DB_NO_ANSWER,  /* executed, not answered */
    DB_LATE,       /* executed after whoever asked had given up */
    DB_LOCKED,
    DB_REFUSED,
    DB_TROUBLES
} db_trouble_t;

/* What else must happen in some seed. */
typedef enum {
    SIGHT_INPUTS_FETCHED,     /* whole, and right */
    SIGHT_INPUTS_BY_ANOTHER,  /* gateway than the one that sent the job is asked */
    SIGHT_INPUTS_UNWANTED,    /* the worker that fetches is told to stop */
    SIGHT_INPUTS_DROPPED,     /* by the gateway, for room */
    SIGHT_INPUTS_HANDED_BACK, /* by the worker, to which they do not come */
    SIGHT_LIMIT_HELD,         /* something due is kept back by a limit */
    SIGHT_LIMIT_LATE,         /* likewise, long after the faults */
    SIGHT_NEWCOMER_WAITED,    /* an organisation's first job went behind others' */
    SIGHT_CLASS_FIRST,        /* a job is given to a worker before one of a lesser class */
    SIGHT_LOG_GREW,           /* a piece of a log is said again, with more */
    SIGHT_LOG_AGAIN,          /* with as much or less */
    SIGHT_LOG_WHOLE,          /* a log of which nothing was lost on its way */
    SIGHT_DECLARED_NEWER,     /* than what stands of the type */
    SIGHT_DECLARED_OLDER,
    SIGHT_DECLARED_OTHER, /* under the same version */
    SIGHT_DECLARED_AGAIN,
    SIGHTS
} sight_t;

typedef struct {
    uint64_t rows[PT_STATES][PT_FACTS];
    uint64_t verbs[ROLES][PT_VERBS];
    uint64_t faults[FAULTS][POINTS];
    uint64_t troubles[DB_TROUBLES];
    uint64_t sights[SIGHTS];
    uint64_t carried, event_lost, event_twice, send_failed; /* by the network */
    uint64_t seeds, steps, jobs, completed, failed, canceled, attempts, executions;
    uint64_t most_settle_ms; /* longest time from the end of the faults until all was done */
} coverage_t;

const char *fault_name(fault_t fault);

/* Prints the tables; returns how many rows are not as they must be, each with a line. `whole`: the
   run was long enough for everything to be reached. */
int coverage_report(const coverage_t *self, bool whole);
void coverage_add(coverage_t *self, const coverage_t *other);

#endif
