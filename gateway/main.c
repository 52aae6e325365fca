/* paratope-gateway: HTTP in, durable jobs, recorded events. Puts the parts together and ends them.
 */
#include "gateway/control.h"
#include "gateway/database/migrate.h"
#include "gateway/dispatch/supplier.h"
#include "gateway/dispatch/sweep.h"
#include "gateway/http/server.h"
#include "gateway/links/links.h"
#include "gateway/record/fetcher.h"
#include "gateway/record/logs.h"
#include "gateway/record/recorder.h"
#include "gateway/record/registrar.h"
#include "gateway/store/read.h"
#include "proto/program/log.h"
#include "proto/program/options.h"
#include "proto/program/process.h"

#include <poll.h>

#define READ_CONNECTIONS 8
#define HTTP_THREADS "512"
#define WAITING_SHARE 4 /* one of so many threads may wait for jobs (Prefer: wait) */

static const pt_option_t options[] = {
    {"database", "DATABASE_URL", NULL, PT_OPTION_ONE, "URI", "PostgreSQL, as libpq takes it"},
    {"listen", "PARATOPE_LISTEN", "127.0.0.1:8080", PT_OPTION_ONE, "HOST:PORT", "HTTP"},
    {"health-listen", "PARATOPE_HEALTH_LISTEN", NULL, PT_OPTION_ONE, "HOST:PORT",
     "/healthz, /readyz and /metrics once more, never behind busy requests"},
    {"brokers", "PARATOPE_BROKER_GATEWAYS", NULL, PT_OPTION_ONE, "'ENDPOINT …'",
     "the brokers' sockets for gateways"},
    {"events-in", "PARATOPE_EVENTS_IN", NULL, PT_OPTION_ONE, "'ENDPOINT …'",
     "the brokers' XSUB sockets, in the same order"},
    {"events", "PARATOPE_EVENTS", NULL, PT_OPTION_ONE, "'ENDPOINT …'",
     "the brokers' XPUB sockets, in the same order"},
    {PT_OPTION_KEYS},
    {PT_OPTION_INSECURE},
    {"threads", "PARATOPE_THREADS", HTTP_THREADS, PT_OPTION_ONE, "N", "requests at once"},
    {"access-log", "PARATOPE_ACCESS_LOG", NULL, PT_OPTION_FLAG, NULL, "log each request"},
    {"trusted-proxies", "PARATOPE_TRUSTED_PROXIES", NULL, PT_OPTION_ONE, "'ADDRESS …'",
     "addresses and networks whose X-Forwarded-For is believed"},
    {"keep-logs", "PARATOPE_KEEP_LOGS", "30", PT_OPTION_ONE, "DAYS",
     "what pipelines wrote on standard error is removed after that; 0: never"},
    {"migrate", NULL, NULL, PT_OPTION_FLAG, NULL, "bring the schema up to date and end"},
    {NULL, NULL, NULL, PT_OPTION_ONE, NULL, NULL}};

/* All parts; each is given what it calls, so this is the only place that knows them all. */
typedef struct {
    pt_keyring_t keyring;
    pt_links_t *links;
    pt_recorder_t *recorder, *large; /* large: of results that were fetched */
    pt_fetcher_t *fetcher;
    pt_supplier_t *supplier;
    pt_logs_t *logs;
    pt_registrar_t *registrar;
    pt_sweep_t *sweep;
    pt_control_t *control;
    pt_committer_t *committer;
    pt_pool_t *pool;
    pt_gather_t *jobs;
    pt_canceller_t *canceller;
    pt_catalogue_t *catalogue;
    pt_awaits_t *awaits;
    pt_batcher_t *batcher;
} parts_t;

/* ---- from the links' thread -------------------------------------------------------------- */

static void on_fact(void *context, pt_fact_t *fact)
{
    parts_t *parts = context;
    if (fact->size > 0 && !fact->payload)
        pt_fetcher_take(parts->fetcher, fact);
    else
        pt_recorder_take(parts->recorder, fact);
}

static void on_chunk(void *context, const pt_msg_t *chunk, const void *payload, size_t size)
{
    pt_fetcher_chunk(((parts_t *)context)->fetcher, chunk, payload, size);
}

static void on_fetch(void *context, const pt_ticket_t *from, const pt_msg_t *fetch)
{
    pt_supplier_asked(((parts_t *)context)->supplier, from, fetch);
}

static bool on_log(void *context, const pt_msg_t *msg, const zframe_t *payload)
{
    zframe_t *frame = (zframe_t *)(uintptr_t)payload; /* czmq has no const */
    return pt_logs_take(((parts_t *)context)->logs, msg, frame ? zframe_data(frame) : NULL,
                        frame ? zframe_size(frame) : 0);
}

static bool on_declare(void *context, const pt_msg_t *msg, const zframe_t *payload)
{
    zframe_t *frame = (zframe_t *)(uintptr_t)payload; /* czmq has no const */
    return pt_registrar_take(((parts_t *)context)->registrar, msg,
                             frame ? zframe_data(frame) : NULL, frame ? zframe_size(frame) : 0);
}

static void on_credit(void *context)
{
    pt_sweep_credit(((parts_t *)context)->sweep);
}

static void on_brokers(void *context, int gone)
{
    pt_sweep_brokers(((parts_t *)context)->sweep, gone);
}

static void on_held(void *context, int broker, uint64_t number, const pt_refs_t *held)
{
    pt_sweep_held(((parts_t *)context)->sweep, broker, number, held);
}

static void on_gone(void *context, const pt_uuid_t *job_id, uint32_t attempt, bool certain,
                    bool counts, const char *reason)
{
    parts_t *parts = context;
    pt_fetcher_gone(parts->fetcher, job_id, attempt);
    pt_sweep_gone(parts->sweep, job_id, attempt, certain, counts, reason);
}

static void on_event(void *context, const pt_msg_t *event, bool is_new)
{
    pt_sweep_event(((parts_t *)context)->sweep, event, is_new);
}

static void on_end_seen(void *context, const pt_uuid_t *job_id)
{
    pt_awaits_ended(((parts_t *)context)->awaits, job_id);
}

/* ---- from the others' threads ------------------------------------------------------------ */

static void on_waits(void *context, const char *job_type, int64_t due_in_ms)
{
    pt_sweep_waits(((parts_t *)context)->sweep, job_type, due_in_ms);
}

static void on_listen(void *context, bool on)
{
    pt_links_listen(context, on);
}

static void on_ended(void *context)
{
    pt_sweep_ended(((parts_t *)context)->sweep);
}

static void on_settings(void *context)
{
    parts_t *parts = context;
    pt_recorder_settings(parts->recorder);
    pt_recorder_settings(parts->large);
    pt_registrar_settings(parts->registrar);
    pt_sweep_settings(parts->sweep);
    pt_catalogue_stale(parts->catalogue);
}

static void on_leads(void *context, bool leader)
{
    parts_t *parts = context;
    pt_recorder_set_active(parts->recorder, leader);
    pt_logs_set_active(parts->logs, leader);
    pt_registrar_set_active(parts->registrar, leader);
    pt_recorder_set_active(parts->large, leader);
    pt_fetcher_set_active(parts->fetcher, leader);
    pt_sweep_set_active(parts->sweep, leader);
    pt_links_set_leader(parts->links, leader);
}

uint64_t pt_gateway_token_generation(void *context)
{
    return pt_control_state(((parts_t *)context)->control).token_generation;
}

static void add_recorded(parts_t *parts, pt_health_t *health)
{
    pt_recorder_counts_t recorder = pt_recorder_counts(parts->recorder);
    pt_logs_counts_t logs = pt_logs_counts(parts->logs);
    pt_registrar_counts_t declared = pt_registrar_counts(parts->registrar);
    pt_fetcher_counts_t large = pt_fetcher_counts(parts->fetcher);
    health->facts_queue = recorder.queue;
    health->facts_recorded = recorder.recorded;
    health->facts_stale = recorder.stale;
    health->facts_overtaken = recorder.overtaken;
    health->facts_refused = recorder.refused;
    health->record_batches = recorder.batches;
    health->large_waiting = large.waiting;
    health->large_running = large.running;
    health->large_bytes = large.bytes;
    health->large_recorded = large.recorded;
    health->logs_stored = logs.stored;
    health->logs_dropped = logs.dropped;
    health->declarations_recorded = declared.recorded;
    health->declarations_refused = declared.refused;
}

static void on_health(void *context, pt_health_t *health)
{
    parts_t *parts = context;
    pt_control_state_t control = pt_control_state(parts->control);
    pt_links_counts_t links = pt_links_counts(parts->links);
    pt_committer_counts_t committer = pt_committer_counts(parts->committer);
    pt_sweep_counts_t sweep = pt_sweep_counts(parts->sweep);
    *health = (pt_health_t){.database = control.database,
                            .database_ping = control.pinged,
                            .leader = control.leader,
                            .recorder = control.recorder,
                            .brokers = links.brokers,
                            .brokers_in_session = links.in_session,
                            .submit_queue = committer.queue,
                            .submitted = committer.submitted,
                            .submit_batches = committer.batches,
                            .jobs_sent = links.jobs_sent,
                            .events_published = links.published,
                            .input_chunks = pt_supplier_sent(parts->supplier),
                            .swept = sweep.handed_out,
                            .lost = sweep.lost,
                            .out = sweep.out,
                            .dropped = links.dropped,
                            .overflowed = links.overflowed};
    add_recorded(parts, health);
}

static int64_t on_slots(void *context, const char *job_type)
{
    return pt_links_slots(((parts_t *)context)->links, job_type);
}

/* ---- start and end ----------------------------------------------------------------------- */

static const char *const endpoint_options[] = {"brokers", "events-in", "events", NULL};

static bool start(parts_t *parts, const pt_options_t *given)
{
    pt_keyring_open(&parts->keyring, given, "paratope-gateway", "gateway", endpoint_options);
    const char *uri = pt_options_demand(given, "database");
    pt_links_settings_t settings = {pt_options_demand(given, "brokers"),
                                    pt_options_demand(given, "events-in"),
                                    pt_options_demand(given, "events"), &parts->keyring};
    pt_links_sink_t sink = {parts,   on_fact, on_log,   on_declare, on_credit, on_brokers,
                            on_held, on_gone, on_chunk, on_fetch,   on_event,  on_end_seen};
    parts->links = pt_links_new(&settings, &sink);
    if (!parts->links)
        return false;
    parts->logs = pt_logs_new(uri, atoi(pt_options_get(given, "keep-logs")));
    parts->recorder = pt_recorder_new(uri, parts->links, on_waits, on_ended, parts);
    parts->large = pt_recorder_new(uri, parts->links, on_waits, on_ended, parts);
    parts->fetcher = pt_fetcher_new(uri, parts->links, parts->recorder, parts->large);
    parts->supplier = pt_supplier_new(uri, parts->links);
    parts->sweep = pt_sweep_new(uri, parts->links, parts->recorder);
    parts->committer = pt_committer_new(uri, parts->links, on_waits, parts);
    parts->pool = pt_pool_new(uri, READ_CONNECTIONS);
    parts->catalogue = pt_catalogue_new(parts->pool);
    parts->awaits = pt_awaits_new(atoi(pt_options_get(given, "threads")) / WAITING_SHARE, on_listen,
                                  parts->links);
    parts->registrar = pt_registrar_new(parts->pool);
    parts->jobs = pt_gather_new(parts->pool, &pt_sql_read_jobs_by_id);
    parts->canceller = pt_canceller_new(parts->pool, parts->links);
    parts->batcher = pt_batcher_new(uri, parts->links, on_waits, parts);
    pt_links_start(parts->links);
    parts->control = pt_control_new(uri, on_leads, on_settings, parts);
    return true;
}

/* In the order of the data's way: what comes in first ends first. */
static void stop(parts_t *parts)
{
    pt_committer_destroy(&parts->committer);
    pt_batcher_destroy(&parts->batcher);
    pt_control_destroy(&parts->control);
    pt_links_stop(parts->links);
    pt_sweep_destroy(&parts->sweep);
    pt_supplier_destroy(&parts->supplier);
    pt_fetcher_stop(parts->fetcher);
    pt_recorder_destroy(&parts->recorder);
    pt_logs_destroy(&parts->logs);
    pt_registrar_destroy(&parts->registrar);
    pt_recorder_destroy(&parts->large);
    pt_fetcher_destroy(&parts->fetcher);
    pt_links_destroy(&parts->links);
    pt_canceller_destroy(&parts->canceller);
    pt_gather_destroy(&parts->jobs);
    pt_awaits_destroy(&parts->awaits);
    pt_catalogue_destroy(&parts->catalogue);
    pt_pool_destroy(&parts->pool);
}

static void wait_for_signal(int signals)
{
    while (pt_process_signals(signals) == 0) {
        struct pollfd item = {.fd = signals, .events = POLLIN};
        poll(&item, 1, -1);
    }
}

/* The second signal, while the first one's end is under way. */
static void *end_at_second(void *arg)
{
    int signals = *(int *)arg;
    while (pt_process_signals(signals) < 2) {
        struct pollfd item = {.fd = signals, .events = POLLIN};
        poll(&item, 1, -1);
    }
    _exit(1);
}

static int serve(const pt_options_t *given, int signals)
{
    parts_t parts = {0};
    if (!start(&parts, given))
        return 2;
    pt_gateway_t gateway = {.committer = parts.committer,
                            .pool = parts.pool,
                            .jobs = parts.jobs,
                            .canceller = parts.canceller,
                            .catalogue = parts.catalogue,
                            .awaits = parts.awaits,
                            .batcher = parts.batcher,
                            .health = on_health,
                            .slots = on_slots,
                            .context = &parts};
    pt_http_settings_t http = {.listen = pt_options_get(given, "listen"),
                               .health_listen = pt_options_get(given, "health-listen"),
                               .threads = atoi(pt_options_get(given, "threads")),
                               .access_log = pt_options_flag(given, "access-log"),
                               .trusted_proxies = pt_options_get(given, "trusted-proxies")};
    pt_http_server_t *server = pt_http_server_new(&gateway, &http);
    if (server) {
        pt_log(PT_INFO, "ready for requests", PT_S("listen", http.listen));
        wait_for_signal(signals);
        pt_http_server_refuse(server);
        pt_log(PT_INFO, "ending");
    }
    pthread_t second;
    pthread_create(&second, NULL, end_at_second, &signals);
    bool served = server != NULL;
    pt_awaits_close(parts.awaits);
    pt_http_server_destroy(&server);
    stop(&parts);
    return served ? 0 : 1;
}

/* `admin` and what follows it, without --database URI, which may stand anywhere. */
static int administer(int argc, char **argv)
{
    const char *uri = getenv("DATABASE_URL");
    const char **rest = zmalloc((size_t)argc * sizeof *rest);
    int count = 0;
    for (int i = 2; i < argc; i++) {
        if (streq(argv[i], "--database") && i + 1 < argc)
            uri = argv[++i];
        else
            rest[count++] = argv[i];
    }
    int status = pt_admin_run(uri, count, rest);
    free(rest);
    return status;
}

int main(int argc, char **argv)
{
    pt_log_open("paratope-gateway");
    if (argc > 1 && streq(argv[1], "admin"))
        return administer(argc, argv);
    int signals = pt_process_start();
    pt_options_t *given = pt_options_new(
        "paratope-gateway", "paratope-gateway [options]\n       paratope-gateway admin COMMAND …",
        options, argc, argv);
    pt_options_take_none(given);
    int status = pt_options_flag(given, "migrate")
                     ? !pt_migrate(pt_options_demand(given, "database"))
                     : serve(given, signals);
    pt_options_destroy(&given);
    return status;
}
