/* What the parts of a gateway share, and nobody else. */
#ifndef SIM_GATEWAY_INSIDE_H
#define SIM_GATEWAY_INSIDE_H

#include "gateway/dispatch/rounds.h"
#include "gateway/dispatch/supplies.h"
#include "gateway/dispatch/turns.h"
#include "gateway/links/edges.h"
#include "gateway/links/link.h"
#include "gateway/record/judge.h"
#include "tests/simulation/database.h"
#include "tests/simulation/gateway.h"
#include "tests/simulation/network.h"

#define RANGES_MAX 64
#define FACTS_MOST 64
#define SUBMISSIONS_MAX 128
#define FETCHES_MAX 64
#define LOGS_MAX 256
#define DECLARED_MAX 64

/* Part of a batch that is tried in one transaction: halves, or one organisation's. */
typedef struct {
    size_t first, count;
} range_t;

typedef struct {
    range_t items[RANGES_MAX];
    size_t count;
} ranges_t;

/* A message on its way to the links' thread. */
typedef struct parcel_out {
    struct parcel_out *next;
    pt_ticket_t ticket; /* link −1: publish at all */
    pt_verb_t verb;
    int64_t expires; /* local ms, 0: never */
    int job, org;
    uint32_t attempt;
    uint64_t seq;
    bool unknown; /* settled: there is no such job */
    char type[16];
    parcel_t *parcel;
} parcel_out_t;

typedef struct {
    int job;
    int64_t until; /* local ms: then the handler has answered 503 */
    pt_ticket_t ticket;
    bool created;
} waiter_t;

typedef struct {
    int queue[SUBMISSIONS_MAX];
    int64_t until[SUBMISSIONS_MAX];
    size_t queued;
    waiter_t batch[BATCH_MOST];
    size_t count;
    ranges_t ranges;
    uint64_t serial; /* of the statement that is waited for; 0: none */
    bool pausing;
} committer_t;

typedef struct {
    pt_fact_t fact;
    bool refused;
    pt_fate_t fate;
    pt_fold_t fold;
    pt_row_t row; /* after it */
    uint64_t seq, arrival;
} fact_item_t;

typedef struct {
    pt_fact_t queue[FACTS_MOST];
    size_t queued;
    fact_item_t batch[BATCH_MOST];
    size_t count;
    ranges_t ranges;
    uint64_t serial;
    bool active, unsure, pausing;
    int64_t pause_ms;
} recorder_t;

typedef struct {
    struct pt_transfers *transfers;
    pt_fact_t ending; /* that is looked up */
    bool active, pausing;
    uint64_t serial, planned;
} fetcher_t;

typedef struct {
    pt_ticket_t from;
    pt_uuid_t job_id;
    uint32_t attempt;
    uint64_t offset;
} fetch_t;

typedef struct {
    pt_supplies_t supplies;
    fetch_t queue[FETCHES_MAX], fetch; /* fetch: for which the table is read */
    size_t queued;
    uint64_t serial;
} supplier_t;

typedef struct {
    log_piece_t queue[LOGS_MAX], batch[DB_PIECES_MAX];
    size_t queued, taken;
    bool active, pausing;
    uint64_t serial;
} logs_t;

/* What a worker declared. */
typedef struct {
    int type;
    pt_uuid_t instance;
    declaration_t declaration;
} said_t;

typedef struct {
    said_t queue[DECLARED_MAX], said; /* said: which is being recorded */
    size_t queued;
    declaration_t known[TYPES_MAX]; /* recorded last */
    bool active, pausing;
    uint64_t serial;
} registrar_t;

/* What was heard of a job that a round asked for, written down beside the rules to check them. */
typedef struct {
    uint32_t attempt, gone_for_certain; /* 0: none */
    int64_t asked; /* local ms of the first question that found no holder, with none found since */
} hearsay_t;

typedef enum {
    SWEEP_BEGIN,
    SWEEP_LOOK,
    SWEEP_EDGES,
    SWEEP_HINTED,
    SWEEP_HAND,
    SWEEP_UNSERVED,
    SWEEP_EXPIRE,
    SWEEP_ASK
} stage_t;

#define TICKETS_MAX 8

/* An organisation's place in a type's line, written down beside the turns to check them. */
typedef struct {
    bool had;             /* a turn, since this gateway leads */
    int passed[ORGS_MAX]; /* jobs of each other that went before it since it waits */
} place_t;

typedef struct {
    bool active, fresh, working, pausing;
    bool woken;
    int64_t due[TYPES_MAX]; /* local ms; INT64_MAX: nothing waits */
    pt_turns_t turns[TYPES_MAX];
    place_t line[TYPES_MAX][ORGS_MAX];
    pt_rounds_t *rounds;
    int64_t look_at, edges_at, expire_at, sleeps_until;
    bool held[TYPES_MAX]; /* by a limit: until something has ended */
    uint64_t endings, endings_then;
    int64_t unserved_since[TYPES_MAX]; /* 0: served, or nothing waits */
    int64_t unserved, expire_in;       /* types noted as such; ms */
    unsigned hinted;                   /* a bit for each organisation */
    stage_t stage;
    int type;
    pt_ticket_t tickets[TICKETS_MAX];
    int ticket_count;
    bool reads_next_due;
    uint64_t serial, planned;
    /* of the question under way */
    uint64_t round;
    int64_t asked_at;
    uint32_t asked, answered;
    int page[BATCH_MOST];
    uint32_t page_attempts[BATCH_MOST];
    size_t page_count;
    hearsay_t heard[JOBS_MAX];
} sweep_t;

typedef struct {
    world_t *world;
    node_t *node;
    pt_uuid_t instance;
    pt_link_t links[BROKERS];
    pt_credit_t credit;
    pt_edges_t *edges;
    uint64_t timeline;
    bool leader, hears, flushing, draining;
    parcel_out_t *first, **last;
    uint64_t control_serial;
    committer_t committer;
    recorder_t recorder;
    fetcher_t fetcher;
    supplier_t supplier;
    logs_t logs;
    registrar_t registrar;
    sweep_t sweep;
} gateway_t;

static inline int64_t gateway_now(const gateway_t *self)
{
    return local_ms(self->world, self->node);
}

/* ---- gateway_links.c ---- */
parcel_t *links_encode(const pt_msg_t *msg, const void *payload, size_t payload_size);
/* To all who subscribed. */
void links_publish(gateway_t *self, const pt_msg_t *msg);
void links_send(gateway_t *self, const pt_ticket_t *ticket, pt_msg_t *msg, const void *payload,
                size_t payload_size, int64_t expires);
void links_about_job(pt_msg_t *msg, pt_verb_t verb, const pt_uuid_t *job_id, uint32_t attempt);
void links_send_job(gateway_t *self, const pt_ticket_t *ticket, int job, uint32_t attempt,
                    int64_t expires);
void links_announce(gateway_t *self, int job, uint64_t seq, bool waiting, const pt_event_t *event);
void links_note_edge(gateway_t *self, int org, uint64_t seq, uint64_t timeline);
uint64_t gateway_ask(gateway_t *self, thread_t thread, statement_t *statement, int64_t deadline_ms,
                     handler_t *answer);

/* ---- committer.c ---- */
void committer_submit(gateway_t *self, int job);

/* ---- recorder.c ---- */
/* Takes the fact's payload. False: it was dropped. */
bool recorder_take(gateway_t *self, pt_fact_t *fact);
void recorder_set_active(gateway_t *self, bool active);
void recorder_clear(gateway_t *self);

/* ---- fetcher.c ---- */
void fetcher_new(gateway_t *self);
void fetcher_destroy(gateway_t *self);
void fetcher_set_active(gateway_t *self, bool active);
void fetcher_take(gateway_t *self, const pt_fact_t *ending);
void fetcher_chunk(gateway_t *self, const pt_msg_t *chunk, const void *payload, size_t size);
void fetcher_forget(gateway_t *self, const pt_uuid_t *job_id, uint32_t attempt);

/* ---- supplier.c ---- */
void supplier_new(gateway_t *self);
void supplier_destroy(gateway_t *self);
void supplier_asked(gateway_t *self, const pt_ticket_t *from, const pt_msg_t *fetch);

/* ---- logs.c ---- */
void logs_take(gateway_t *self, const pt_msg_t *msg, const void *payload, size_t size);
void logs_set_active(gateway_t *self, bool active);
void logs_clear(gateway_t *self);

/* ---- registrar.c ---- */
void registrar_take(gateway_t *self, const pt_msg_t *msg, const void *payload, size_t size);
void registrar_set_active(gateway_t *self, bool active);

/* ---- sweep.c ---- */
void sweep_new(gateway_t *self);
void sweep_destroy(gateway_t *self);
void sweep_set_active(gateway_t *self, bool active);
void sweep_wake(gateway_t *self);
void sweep_waits(gateway_t *self, int type, int64_t due_in_ms);
/* Something is out no more. */
void sweep_ended(gateway_t *self);
/* Credit grew, or other types are served. */
void sweep_credit(gateway_t *self);
void sweep_event(gateway_t *self, const pt_msg_t *event, bool is_new);
void sweep_brokers(gateway_t *self, int gone);
void sweep_held(gateway_t *self, int broker, uint64_t round, const pt_refs_t *held);
void sweep_gone(gateway_t *self, const pt_uuid_t *job_id, uint32_t attempt, bool certain,
                bool counts);

/* ---- ranges of a batch: a stack; the last is tried next ---- */
static inline void ranges_push(ranges_t *self, size_t first, size_t count)
{
    if (count > 0 && self->count < RANGES_MAX)
        self->items[self->count++] = (range_t){first, count};
}
static inline range_t ranges_top(const ranges_t *self)
{
    return self->items[self->count - 1];
}
static inline void ranges_halve(ranges_t *self)
{
    range_t range = self->items[--self->count];
    ranges_push(self, range.first + range.count / 2, range.count - range.count / 2);
    ranges_push(self, range.first, range.count / 2);
}

#endif
