/* PostgreSQL, as far as the gateways see it: the rows of jobs, each organisation's events, locks,
 * and the one advisory lock. The rules are those of gateway/schema and gateway/store/move.c.
 *
 * A statement is sent, executed some time later in one moment, and answered some time later still;
 * it may be lost before, the answer may be lost after, and it may be executed when nobody waits for
 * it any more. What every commit must leave true is checked at every commit.
 */
#ifndef SIM_DATABASE_H
#define SIM_DATABASE_H

#include "gateway/record/fold.h"
#include "tests/simulation/jobs.h"

#define EVENTS_MAX 8192 /* of an organisation */
#define TURNS_TEXT 256
#define BATCH_MOST 32 /* submissions or facts in one statement */

#define DB_PIECES_MAX 32

typedef enum { DB_OK, DB_AWAY, DB_WAS_LOCKED, DB_WAS_REFUSED } db_outcome_t;

typedef enum {
    DB_SUBMIT,    /* items: job, reserved → is_out, created_at, seq (0: it was there) */
    DB_LOCK_ROWS, /* items: job → exists, locked, row; transaction, now */
    DB_WRITE,     /* transaction; items: job, row, event… → seq; commits */
    DB_HAND_OUT, /* type, room, turns, number (where the line is) → items: job, org, attempt, turn;
                    eligible: whose first job may go */
    DB_NEXT_DUE, /* type → number: ms until something is due, or −1; held: a limit keeps some back
                  */
    DB_AWAITS_ENDING, /* items: one job, attempt → number: whether it has not ended at that attempt
                       */
    DB_NOTE_UNSERVED, /* number: types that nobody serves, context: those of which that stays noted
                       */
    DB_EXPIRED,       /* type → items: job, attempt, of those that waited too long */
    DB_NEXT_EXPIRY,   /* type → number: ms until one has waited too long, or −1 */
    DB_WAITING_TYPES, /* → number: a bit for each type */
    DB_OUT_PAGE,      /* after, limit → items: job, attempt */
    DB_EDGES,         /* number: a bit for each organisation → seqs */
    DB_LEAD,          /* try the lock, or keep the session alive → number: has the lock */
    DB_CANCEL,        /* items: one job → changed, row, event, seq; commits */
    DB_DECLARE,       /* type, declaration */
    DB_STORE_LOGS,    /* pieces */
    DB_READ_EVENTS,   /* org, number: after → items: events, in order */
} db_verb_t;

/* What goes on between one gateway's thread and the database uses a connection of its own. */
typedef enum {
    BY_COMMITTER,
    BY_RECORDER,
    BY_SWEEP,
    BY_CONTROL,
    BY_FETCHER,
    BY_SUPPLIER,
    BY_LOGS,
    BY_REGISTRAR,
    BY_REQUEST,
    THREADS
} thread_t;

typedef struct {
    int job, org, type;
    bool reserved, is_out, exists, locked, changed, took_result, refused;
    uint32_t attempt;
    int64_t created_at, turn;
    uint64_t seq;
    pt_row_t row;
    pt_event_t event;
} item_t;

typedef struct {
    db_verb_t verb;
    node_t *by;
    unsigned generation; /* of the gateway that asks */
    thread_t thread;
    uint64_t serial, session; /* session: the connection, numbered anew when one is thrown away */
    db_outcome_t outcome;
    handler_t *answer;
    uint64_t transaction;
    int64_t now, number, context;
    int type, org;
    bool held, eligible[ORGS_MAX];
    char turns[TURNS_TEXT];
    pt_uuid_t after;
    uint64_t seqs[ORGS_MAX], timeline;
    log_piece_t pieces[DB_PIECES_MAX];
    size_t piece_count;
    declaration_t declaration;
    size_t count, room;
    item_t items[];
} statement_t;

/* `room` items at most. */
statement_t *statement_new(db_verb_t verb, size_t room);

/* Sends it. `answer` is called with event->data the statement, and event->number its serial: once
   with the answer if one comes, and once with NULL after `deadline_ms`. Returns the serial. */
uint64_t database_ask(world_t *world, node_t *by, thread_t thread, statement_t *statement,
                      int64_t deadline_ms, handler_t *answer);
/* The connection is thrown away: what was open in it ends, as soon as the server notices. */
void database_hang_up(world_t *world, node_t *by, thread_t thread);

void database_new(world_t *world);
void database_destroy(world_t *world);
/* Ends all sessions; comes back later. */
void database_die(world_t *world, int64_t away_us);
/* A gateway cannot reach it. */
void database_cut(world_t *world, const node_t *gateway, int64_t us);
void database_heal(world_t *world);

/* Whether it is due and no limit keeps it back. */
bool database_may_go(const world_t *world, int job);
/* Whether it is due and a limit keeps it back. */
bool database_is_held(const world_t *world, int job);
/* What is declared of a type. */
declaration_t database_declared(const world_t *world, int type);
/* How many of a type are out. */
int database_out(const world_t *world, int type);

/* How far this gateway's statements have come: for the coverage of faults. */
point_t database_point(const world_t *world, const node_t *gateway);
bool database_busy(const world_t *world);

/* What is there, for who checks. */
bool database_has(const world_t *world, int job);
const pt_row_t *database_row(const world_t *world, int job);
/* Whether this attempt was handed out, in a commit. */
bool database_handed_out(const world_t *world, int job, uint32_t attempt);
/* Whether the ending of this attempt needs no more care. */
bool database_settled(const world_t *world, int job, uint32_t attempt);
uint64_t database_last_seq(const world_t *world, int org);
/* The job of an event, −1 if there is no such event; `type`: what it says. */
int database_event(const world_t *world, int org, uint64_t seq, const char **type);
uint64_t database_timeline(const world_t *world);
bool database_all_ended(const world_t *world);
/* After the end: what became of each job is what its script can lead to. */
void database_check_end(world_t *world);

#endif
