#include "tests/simulation/coverage.h"

#include <string.h>

static const char *const states[PT_STATES] = {"waiting",   "out",    "running",
                                              "completed", "failed", "canceled"};
static const char *const facts[PT_FACTS] = {"handed out", "started",  "progress",
                                            "completed",  "failed",   "retry",
                                            "lost",       "canceled", "expired"};
static const char *const roles[ROLES] = {"gateway", "broker", "worker", "subscriber"};
static const char *const faults[FAULTS] = {
    "gateway dies",    "gateway drains",    "gateway stops", "broker dies",
    "broker drains",   "broker stops",      "worker dies",   "worker drains",
    "worker stops",    "all workers die",   "database dies", "database stops",
    "clock jumps",     "connection breaks", "link stalls",   "event path is deaf",
    "database cut off"};
static const char *const points[POINTS] = {
    "idle",        "jobs held",       "in hello",         "running",
    "unsettled",   "rows locked",     "commit under way", "commit unanswered",
    "unpublished", "not settled yet", "transaction open"};
static const char *const troubles[DB_TROUBLES] = {
    "statement lost", "answer lost", "done after its deadline", "lock or deadlock", "refused"};
static const char *const sights[SIGHTS] = {"inputs fetched",
                                           "inputs asked of another gateway than the sender",
                                           "inputs that nobody wants any more",
                                           "inputs dropped for room",
                                           "inputs handed back because they do not come",
                                           "jobs kept back by a limit",
                                           "jobs kept back by a limit when faults are over",
                                           "an organisation's first job behind those of others",
                                           "jobs given to a worker before those of a lesser class",
                                           "pieces of logs said again with more",
                                           "pieces of logs said again with as much or less",
                                           "logs of which nothing was lost on its way",
                                           "declarations of a newer version",
                                           "declarations of an older version",
                                           "other declarations under the same version",
                                           "declarations that stand already"};

#define P(POINT) (1u << POINT_##POINT)
#define AT_GATEWAYS                                                                                \
    (P(IDLE) | P(ROWS_LOCKED) | P(COMMIT_UNDER_WAY) | P(COMMIT_UNANSWERED) | P(UNPUBLISHED) |      \
     P(UNSETTLED_YET))
#define AT_WORKERS (P(IDLE) | P(IN_HELLO) | P(RUNNING) | P(UNSETTLED))

/* Where each fault must have struck. */
static const unsigned must_strike[FAULTS] = {[FAULT_GATEWAY_DIES] = AT_GATEWAYS,
                                             [FAULT_GATEWAY_DRAINS] = AT_GATEWAYS,
                                             [FAULT_GATEWAY_STOPS] = AT_GATEWAYS,
                                             [FAULT_BROKER_DIES] = P(IDLE) | P(JOBS_HELD),
                                             [FAULT_BROKER_DRAINS] = P(IDLE) | P(JOBS_HELD),
                                             [FAULT_BROKER_STOPS] = P(IDLE) | P(JOBS_HELD),
                                             [FAULT_WORKER_DIES] = AT_WORKERS,
                                             [FAULT_WORKER_DRAINS] = AT_WORKERS,
                                             [FAULT_WORKER_STOPS] = AT_WORKERS,
                                             [FAULT_FLEET_DIES] = AT_WORKERS,
                                             [FAULT_DATABASE_DIES] = P(IDLE) | P(TRANSACTION_OPEN),
                                             [FAULT_DATABASE_STOPS] = P(IDLE) | P(TRANSACTION_OPEN),
                                             [FAULT_CLOCK_JUMPS] = P(IDLE),
                                             [FAULT_CONNECTION_BREAKS] = P(RUNNING) | P(UNSETTLED),
                                             [FAULT_LINK_STALLS] = P(RUNNING) | P(UNSETTLED),
                                             [FAULT_EVENTS_DEAF] = P(RUNNING) | P(UNSETTLED),
                                             [FAULT_DATABASE_CUT] = P(IDLE) | P(COMMIT_UNDER_WAY)};

#define V(VERB) ((uint64_t)1 << PT_##VERB)
/* What each role hears of the protocol. hello? towards a broker is not simulated. */
static const uint64_t must_hear[ROLES] = {
    [AT_GATEWAY] = V(WELCOME) | V(HELLO_AGAIN) | V(CREDIT) | V(BEAT) | V(HAVE) | V(GONE) | V(BYE) |
                   V(STATUS) | V(RESULT) | V(ALIVE) | V(EVENT) | V(CHUNK) | V(FETCH) | V(LOG) |
                   V(DECLARE),
    [AT_BROKER] = V(HELLO) | V(JOB) | V(CREDIT) | V(BEAT) | V(STOP) | V(SETTLED) | V(HAVE) |
                  V(GONE) | V(BYE) | V(STATUS) | V(RESULT) | V(ALIVE) | V(EVENT) | V(EDGE) |
                  V(FETCH) | V(LOG) | V(DECLARE) | V(CHUNK),
    [AT_WORKER] = V(WELCOME) | V(HELLO_AGAIN) | V(JOB) | V(BEAT) | V(STOP) | V(SETTLED) | V(BYE) |
                  V(FETCH) | V(CHUNK),
    [AT_SUBSCRIBER] = V(EVENT) | V(EDGE)};

const char *fault_name(fault_t fault)
{
    return faults[fault];
}

/* Why a row of the job table cannot be reached, or NULL. */
static const char *unreachable(int state, int fact)
{
    if (fact == PT_FACT_HANDED_OUT && state != PT_WAITING)
        return "the statement that hands out takes only what waits";
    if (state == PT_WAITING && fact != PT_FACT_HANDED_OUT && fact != PT_FACT_CANCELED &&
        fact != PT_FACT_EXPIRED)
        return "nobody was given this attempt, so nobody speaks of it";
    return NULL;
}

/* What only two leaders at once can bring about: one finds that a job has waited too long and is
   slow to record it, the other has it done meanwhile. It need not be reached; test_fold has it. */
static bool is_rare(int state, int fact)
{
    return fact == PT_FACT_EXPIRED && (state == PT_RUNNING || state == PT_COMPLETED);
}

/* One that should be 0 and is not, or the other way round. */
static int judge(const char *what, const char *where, uint64_t n, bool must, bool whole,
                 const char *why_not)
{
    if (must && n == 0 && whole) {
        printf("NEVER REACHED: %s, %s\n", what, where);
        return 1;
    }
    if (!must && n > 0 && why_not) {
        printf("REACHED and should not be: %s, %s: %s\n", what, where, why_not);
        return 1;
    }
    return 0;
}

static int report_rows(const coverage_t *self, bool whole)
{
    int wrong = 0;
    printf("\n| state, fact | times |\n|---|---|\n");
    for (int state = 0; state < PT_STATES; state++)
        for (int fact = 0; fact < PT_FACTS; fact++) {
            const char *why = unreachable(state, fact);
            uint64_t n = self->rows[state][fact];
            printf("| %s, %s | %llu%s%s |\n", states[state], facts[fact], (unsigned long long)n,
                   why ? ": " : "", why ? why : "");
            wrong +=
                judge(states[state], facts[fact], n, !why && !is_rare(state, fact), whole, why);
        }
    return wrong;
}

static int report_verbs(const coverage_t *self, bool whole)
{
    int wrong = 0;
    printf("\n| verb | gateway | broker | worker | subscriber |\n|---|---|---|---|---|\n");
    for (int verb = 0; verb < PT_VERBS; verb++) {
        printf("| %s ", pt_verb_name((pt_verb_t)verb));
        for (int role = 0; role < ROLES; role++)
            printf("| %llu ", (unsigned long long)self->verbs[role][verb]);
        printf("|\n");
        for (int role = 0; role < ROLES; role++)
            wrong += judge(pt_verb_name((pt_verb_t)verb), roles[role], self->verbs[role][verb],
                           must_hear[role] >> verb & 1, whole, "nobody says this to it");
    }
    return wrong;
}

static int report_faults(const coverage_t *self, bool whole)
{
    int wrong = 0;
    printf("\n| fault | at which point, times |\n|---|---|\n");
    for (int fault = 0; fault < FAULTS; fault++) {
        printf("| %s |", faults[fault]);
        for (int point = 0; point < POINTS; point++)
            if (self->faults[fault][point])
                printf(" %s %llu", points[point], (unsigned long long)self->faults[fault][point]);
        printf(" |\n");
        for (int point = 0; point < POINTS; point++)
            wrong += judge(faults[fault], points[point], self->faults[fault][point],
                           must_strike[fault] >> point & 1, whole, NULL);
    }
    for (int trouble = 0; trouble < DB_TROUBLES; trouble++) {
        printf("| database: %s | %llu |\n", troubles[trouble],
               (unsigned long long)self->troubles[trouble]);
        wrong += judge("database", troubles[trouble], self->troubles[trouble], true, whole, NULL);
    }
    printf("| network | carried to the next connection %llu, events lost %llu, events twice %llu, "
           "sends that failed %llu |\n",
           (unsigned long long)self->carried, (unsigned long long)self->event_lost,
           (unsigned long long)self->event_twice, (unsigned long long)self->send_failed);
    wrong += judge("network", "carried to the next connection", self->carried, true, whole, NULL);
    wrong += judge("network", "events lost", self->event_lost, true, whole, NULL);
    wrong += judge("network", "events twice", self->event_twice, true, whole, NULL);
    wrong += judge("network", "sends that failed", self->send_failed, true, whole, NULL);
    return wrong;
}

static int report_sights(const coverage_t *self, bool whole)
{
    int wrong = 0;
    printf("\n| what else | times |\n|---|---|\n");
    for (int i = 0; i < SIGHTS; i++) {
        printf("| %s | %llu |\n", sights[i], (unsigned long long)self->sights[i]);
        wrong += judge("what else", sights[i], self->sights[i], true, whole, NULL);
    }
    return wrong;
}

int coverage_report(const coverage_t *self, bool whole)
{
    int wrong = report_rows(self, whole) + report_verbs(self, whole) + report_faults(self, whole) +
                report_sights(self, whole);
    printf("\n%llu seeds, %llu steps, %llu jobs: %llu completed, %llu failed, %llu canceled; "
           "%llu attempts, %llu executions; all done at most %.1f virtual seconds after the last "
           "fault\n",
           (unsigned long long)self->seeds, (unsigned long long)self->steps,
           (unsigned long long)self->jobs, (unsigned long long)self->completed,
           (unsigned long long)self->failed, (unsigned long long)self->canceled,
           (unsigned long long)self->attempts, (unsigned long long)self->executions,
           (double)self->most_settle_ms / 1000);
    return wrong;
}

/* All members but the last are counts. */
void coverage_add(coverage_t *self, const coverage_t *other)
{
    uint64_t most =
        self->most_settle_ms > other->most_settle_ms ? self->most_settle_ms : other->most_settle_ms;
    uint64_t *to = (uint64_t *)self;
    const uint64_t *from = (const uint64_t *)other;
    for (size_t i = 0; i < sizeof *self / sizeof *to; i++)
        to[i] += from[i];
    self->most_settle_ms = most;
}
