#include "gateway/http/metrics.h"

#include "gateway/api/routes.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUTES_MAX 64 /* the last one stands for requests that no route fits */

static const int statuses[] = {200, 201, 202, 400, 401, 404, 405, 406, 408, 409,
                               413, 415, 422, 429, 431, 500, 503, 505, 0 /* any other */};
#define STATUSES (sizeof statuses / sizeof *statuses)

/* Upper bounds in microseconds. */
static const int64_t bounds[] = {500,    1000,   2500,   5000,    10000,   25000,   50000,
                                 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
#define BOUNDS (sizeof bounds / sizeof *bounds)

typedef struct {
    atomic_uint_fast64_t requests[STATUSES];
    atomic_uint_fast64_t buckets[BOUNDS + 1]; /* each request in one; added up when shown */
    atomic_uint_fast64_t sum_us;
} series_t;

struct pt_metrics {
    series_t series[ROUTES_MAX];
    atomic_int connections;
    atomic_uint_fast64_t ended;
};

pt_metrics_t *pt_metrics_new(void)
{
    return calloc(1, sizeof(pt_metrics_t));
}

void pt_metrics_destroy(pt_metrics_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static size_t status_index(int status)
{
    size_t i = 0;
    while (i < STATUSES - 1 && statuses[i] != status)
        i++;
    return i;
}

static size_t bucket_index(int64_t us)
{
    size_t i = 0;
    while (i < BOUNDS && us > bounds[i])
        i++;
    return i;
}

static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void pt_metrics_count(pt_metrics_t *self, const pt_route_t *route, int status, int64_t us)
{
    size_t index = route ? (size_t)(route - pt_routes) : ROUTES_MAX - 1;
    series_t *series = &self->series[index < ROUTES_MAX ? index : ROUTES_MAX - 1];
    add(&series->requests[status_index(status)], 1);
    add(&series->buckets[bucket_index(us)], 1);
    add(&series->sum_us, (uint64_t)(us > 0 ? us : 0));
}

void pt_metrics_connections(pt_metrics_t *self, int change)
{
    atomic_fetch_add_explicit(&self->connections, change, memory_order_relaxed);
}

int pt_metrics_open_connections(const pt_metrics_t *self)
{
    return atomic_load_explicit(&self->connections, memory_order_relaxed);
}

void pt_metrics_ended(pt_metrics_t *self)
{
    add(&self->ended, 1);
}

/* ---- the page ---------------------------------------------------------------------------- */

static uint64_t value(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void write_labels(FILE *to, size_t index)
{
    if (index < pt_route_count)
        fprintf(to, "method=\"%s\",route=\"%s\"", pt_routes[index].method,
                pt_routes[index].pattern);
    else
        fprintf(to, "method=\"\",route=\"\"");
}

static bool is_shown(size_t index)
{
    return index < pt_route_count || index == ROUTES_MAX - 1;
}

static void write_requests(FILE *to, const pt_metrics_t *self)
{
    fprintf(to, "# HELP paratope_http_requests_total Answered requests.\n"
                "# TYPE paratope_http_requests_total counter\n");
    for (size_t i = 0; i < ROUTES_MAX; i++)
        for (size_t s = 0; is_shown(i) && s < STATUSES; s++) {
            uint64_t count = value(&self->series[i].requests[s]);
            if (count == 0)
                continue;
            fprintf(to, "paratope_http_requests_total{");
            write_labels(to, i);
            fprintf(to, ",status=\"%d\"} %" PRIu64 "\n", statuses[s], count);
        }
}

static void write_histogram(FILE *to, const series_t *series, size_t index)
{
    uint64_t total = 0;
    for (size_t b = 0; b <= BOUNDS; b++) {
        total += value(&series->buckets[b]);
        fprintf(to, "paratope_http_request_seconds_bucket{");
        write_labels(to, index);
        if (b < BOUNDS)
            fprintf(to, ",le=\"%g\"} %" PRIu64 "\n", (double)bounds[b] / 1e6, total);
        else
            fprintf(to, ",le=\"+Inf\"} %" PRIu64 "\n", total);
    }
    fprintf(to, "paratope_http_request_seconds_sum{");
    write_labels(to, index);
    fprintf(to, "} %.6f\nparatope_http_request_seconds_count{",
            (double)value(&series->sum_us) / 1e6);
    write_labels(to, index);
    fprintf(to, "} %" PRIu64 "\n", total);
}

static bool was_used(const series_t *series)
{
    for (size_t b = 0; b <= BOUNDS; b++)
        if (value(&series->buckets[b]))
            return true;
    return false;
}

static void write_histograms(FILE *to, const pt_metrics_t *self)
{
    fprintf(to, "# HELP paratope_http_request_seconds From the request's head to the answer.\n"
                "# TYPE paratope_http_request_seconds histogram\n");
    for (size_t i = 0; i < ROUTES_MAX; i++)
        if (is_shown(i) && was_used(&self->series[i]))
            write_histogram(to, &self->series[i], i);
}

static void write_health(FILE *to, const pt_metrics_t *self, const pt_health_t *health)
{
    const struct {
        const char *name, *kind, *help;
        uint64_t value;
    } rows[] = {
        {"database_up", "gauge", "The control connection answered in time.", health->database},
        {"recorder_up", "gauge", "Some gateway's recorder is active.", health->recorder},
        {"recorder_leader", "gauge", "This gateway's recorder is.", health->leader},
        {"brokers", "gauge", "Brokers that are configured.", health->brokers},
        {"brokers_in_session", "gauge", "Brokers that answer.", health->brokers_in_session},
        {"submit_queue", "gauge", "Submissions that wait for a commit.", health->submit_queue},
        {"submitted_total", "counter", "Jobs made durable.", health->submitted},
        {"submit_batches_total", "counter", "Transactions that did it.", health->submit_batches},
        {"jobs_sent_total", "counter", "Jobs sent to brokers.", health->jobs_sent},
        {"facts_queue", "gauge", "Events that wait to be recorded.", health->facts_queue},
        {"facts_recorded_total", "counter", "Events recorded.", health->facts_recorded},
        {"facts_stale_total", "counter", "Events of ended jobs, other attempts or unknown jobs.",
         health->facts_stale},
        {"facts_overtaken_total", "counter", "Events that said nothing new.",
         health->facts_overtaken},
        {"facts_refused_total", "counter", "Endings whose result could not be stored.",
         health->facts_refused},
        {"record_batches_total", "counter", "Transactions that did it.", health->record_batches},
        {"events_published_total", "counter", "Durable events published.",
         health->events_published},
        {"large_results_waiting", "gauge", "Large results that wait to be fetched.",
         health->large_waiting},
        {"large_results_fetching", "gauge", "Large results that are fetched or written.",
         health->large_running},
        {"large_results_bytes", "gauge", "Memory that is reserved for these.", health->large_bytes},
        {"large_results_total", "counter", "Large results that were fetched and written.",
         health->large_recorded},
        {"input_chunks_sent_total", "counter", "Pieces of large inputs sent to workers.",
         health->input_chunks},
        {"logs_stored_total", "counter", "Pieces of jobs' logs that were stored.",
         health->logs_stored},
        {"logs_dropped_total", "counter", "Pieces of jobs' logs that could not be stored.",
         health->logs_dropped},
        {"declarations_recorded_total", "counter", "Declarations of job types that were new.",
         health->declarations_recorded},
        {"declarations_refused_total", "counter", "Declarations that were not acceptable.",
         health->declarations_refused},
        {"swept_total", "counter", "Jobs handed out by the sweep.", health->swept},
        {"jobs_out", "gauge", "Jobs that are out, as the leader knows.", health->out},
        {"attempts_lost_total", "counter", "Attempts that nobody held any more.", health->lost},
        {"overflowed_total", "counter", "Messages to brokers without room.", health->overflowed},
        {"dropped_total", "counter", "Messages from brokers that were none.", health->dropped},
        {"http_connections", "gauge", "Connections that are being served.",
         (uint64_t)pt_metrics_open_connections(self)},
        {"http_connections_ended_total", "counter",
         "Connections ended early, because few threads were free.", value(&self->ended)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(to, "# HELP paratope_%s %s\n# TYPE paratope_%s %s\nparatope_%s %" PRIu64 "\n",
                rows[i].name, rows[i].help, rows[i].name, rows[i].kind, rows[i].name,
                rows[i].value);
}

char *pt_metrics_text(const pt_metrics_t *self, const pt_health_t *health)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    write_health(to, self, health);
    write_requests(to, self);
    write_histograms(to, self);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}
