/* What the HTTP side sees of the rest: who commits, who reads, and how all of it is. */
#ifndef PT_GATEWAY_H
#define PT_GATEWAY_H

#include "gateway/api/awaits.h"
#include "gateway/api/catalogue.h"
#include "gateway/database/gather.h"
#include "gateway/database/pool.h"
#include "gateway/submit/batcher.h"
#include "gateway/submit/canceller.h"
#include "gateway/submit/committer.h"

/* Counters and gauges for /metrics and /readyz; each is written by one thread and read by any. */
typedef struct {
    bool database;         /* the control connection answered its last ping in time */
    int64_t database_ping; /* pt_clock_ms of the last answered ping, 0: never */
    bool leader;           /* this gateway's recorder is the active one */
    bool recorder;         /* some gateway holds the recorder's lock */
    uint64_t brokers, brokers_in_session;
    uint64_t submit_queue, submitted, submit_batches;
    uint64_t jobs_sent;
    uint64_t facts_queue, facts_recorded, facts_stale, facts_overtaken, facts_refused,
        record_batches;
    uint64_t events_published;
    uint64_t large_waiting, large_running, large_bytes, large_recorded; /* results, see fetcher.h */
    uint64_t input_chunks;                                              /* of large inputs, sent */
    uint64_t logs_stored, logs_dropped;
    uint64_t declarations_recorded, declarations_refused;
    uint64_t swept, lost; /* jobs handed out by the sweep; attempts that were lost */
    uint64_t out;         /* jobs that are out, of the leader's last question */
    uint64_t dropped;     /* messages from brokers that were none */
    uint64_t overflowed;  /* messages that could not be sent: no room, or the session ended */
} pt_health_t;

typedef struct {
    pt_committer_t *committer;
    pt_pool_t *pool;
    pt_gather_t *jobs; /* of one job each, by many at once */
    pt_canceller_t *canceller;
    pt_catalogue_t *catalogue; /* what pipelines declare; NULL in tests of handlers alone */
    pt_awaits_t *awaits;       /* who waits for a job's end */
    pt_batcher_t *batcher;
    void (*health)(void *context, pt_health_t *health);
    int64_t (*slots)(void *context, const char *job_type); /* see pt_credit_slots */
    void *context;
} pt_gateway_t;

/* The generation of the token cache: raised by the control thread on each NOTIFY that a token was
   changed, and whenever the LISTEN connection was opened anew. A cached token is good only while
   the generation is the same and health.database_ping is at most 500 ms old. */
uint64_t pt_gateway_token_generation(void *context);

#endif
