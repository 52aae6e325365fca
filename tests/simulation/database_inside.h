/* What the parts of the database share, and nobody else: database.c (statements on their way, and
 * what goes wrong), database_rows.c (what commits change), database_hand_out.c, database_logs.c,
 * database_ask.c (questions), database_check.c (for who checks).
 */
#ifndef SIM_DATABASE_INSIDE_H
#define SIM_DATABASE_INSIDE_H

#include "tests/simulation/database.h"

#define TRANSACTIONS_MAX 16
#define IDLE_SESSION (3 * SECOND) /* as control.c's idle_session_timeout */

typedef struct {
    bool exists;
    pt_row_t row;
    int64_t due_at;      /* 0: null */
    uint64_t locked_by;  /* transaction; 0: nobody */
    uint32_t handed_out; /* the last attempt that was */
    unsigned endings;    /* events that say it has ended */
    log_piece_t *pieces; /* of its log, owned */
    size_t piece_count;
} record_t;

typedef struct {
    int job;
    const char *type;
} db_event_t;

typedef struct {
    uint64_t id; /* 0: none */
    int gateway;
    thread_t thread;
    uint64_t session;
} transaction_t;

typedef enum { NOTHING, SENT, DONE } progress_t;

struct database {
    record_t records[JOBS_MAX];
    db_event_t *events[ORGS_MAX];
    uint64_t last_seq[ORGS_MAX], timeline, next;
    transaction_t transactions[TRANSACTIONS_MAX];
    /* Of gateways' connections: numbered anew when they are thrown away. Subscribers read too. */
    uint64_t sessions[GATEWAYS_MAX][THREADS];
    progress_t progress[GATEWAYS_MAX][THREADS]; /* of a commit */
    int leader;                                 /* −1: nobody has the lock */
    uint64_t leader_session;
    int64_t leader_pinged;
    int64_t cut_until[GATEWAYS_MAX];
    int64_t unserved_since[TYPES_MAX]; /* 0: not noted */
    declaration_t declared[TYPES_MAX];
    bool away;
};

static inline int64_t db_now(const world_t *world)
{
    return wall_us(world, &world->database_node);
}

/* database_rows.c */
void db_submit(world_t *world, statement_t *ask);
void db_lock_rows(world_t *world, statement_t *ask);
void db_write_rows(world_t *world, statement_t *ask);
void db_cancel(world_t *world, statement_t *ask);
transaction_t *db_find_transaction(world_t *world, uint64_t id);
void db_end_transaction(world_t *world, transaction_t *transaction);

/* database_hand_out.c */
void db_hand_out(world_t *world, statement_t *ask);
void db_next_due(world_t *world, statement_t *ask);
/* Whether it counts for a limit. */
bool db_is_limited(const world_t *world, int org, int type);
void db_check_limits(world_t *world);

/* database_logs.c */
void db_store_logs(world_t *world, statement_t *ask);
/* Of a job that has ended: its log is whole, if nothing of it was lost on its way. */
void db_check_log(world_t *world, int job);

/* database_ask.c */
void db_awaits_ending(world_t *world, statement_t *ask);
void db_note_unserved(world_t *world, statement_t *ask);
void db_expired(world_t *world, statement_t *ask);
void db_next_expiry(world_t *world, statement_t *ask);
void db_waiting_types(world_t *world, statement_t *ask);
void db_out_page(world_t *world, statement_t *ask);
void db_lead(world_t *world, statement_t *ask);
void db_read_events(world_t *world, statement_t *ask);
void db_declare(world_t *world, statement_t *ask);
void db_edges(world_t *world, statement_t *ask);

#endif
