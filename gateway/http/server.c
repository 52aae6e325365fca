#include "gateway/http/server.h"

#include "gateway/api/routes.h"
#include "gateway/http/access.h"
#include "gateway/http/auth.h"
#include "gateway/http/exchange.h"
#include "gateway/http/metrics.h"
#include "gateway/http/seats.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <sodium.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define HEALTH_THREADS 8
#define HEALTH_QUEUE 64
#define DRAIN_MS 8000             /* how long the end waits for open requests */
#define BODIES_MAX 67108864       /* bytes of all bodies that are being read or answered */
#define LARGE_BODIES_MAX 33554432 /* apart, of routes that take larger ones */
#define QUEUE 512                 /* accepted connections that wait for a thread */
#define OTHER_DESCRIPTORS 200

/* A listener of civetweb's, with threads of its own. */
typedef struct {
    pt_http_server_t *server;
    struct mg_context *context;
    bool health_only;
    int threads, queue;
    char address[256];
    pt_seats_t *seats; /* which connections its threads hold */
    atomic_bool stopped;
    pthread_t stopper;
} listener_t;

struct pt_http_server {
    pt_http_t http;
    pt_access_t access;
    listener_t main, health;
    atomic_int open;      /* requests that are being answered */
    atomic_bool draining; /* new requests are answered with 503 */
    pt_room_t bodies, large_bodies;
};

/* ---- one request ------------------------------------------------------------------------- */

static bool find_route(listener_t *listener, pt_request_t *request, pt_response_t *response)
{
    pt_route_match_t match;
    pt_route_outcome_t outcome = pt_route_find(request->method, request->path, &match);
    bool hidden = listener->health_only && match.route && !(match.route->flags & PT_ROUTE_HEALTH);
    if (outcome == PT_ROUTE_NO_PATH || hidden) {
        pt_problem(request, response, PT_NOT_FOUND, "There is nothing at this path.", NULL);
        return false;
    }
    if (outcome == PT_ROUTE_NO_METHOD) {
        pt_problem(request, response, PT_METHOD_NOT_ALLOWED, "See the Allow header.", NULL);
        pt_response_header(response, "Allow", match.allow);
        return false;
    }
    request->route = match.route;
    return true;
}

/* The {holes} of the path, after the token: who has none learns nothing of what a path takes. */
static bool read_holes(pt_request_t *request, pt_response_t *response)
{
    pt_route_match_t match;
    const pt_route_holes_t *holes = &match.holes;
    pt_route_find(request->method, request->path, &match);
    request->resource = holes->resource;
    snprintf(request->job_type, sizeof request->job_type, "%.*s", (int)holes->job_type_size,
             holes->job_type ? holes->job_type : "");
    snprintf(request->name, sizeof request->name, "%.*s", (int)holes->name_size,
             holes->name ? holes->name : "");
    if (!holes->id || pt_uuid_parse(&request->argument, holes->id, holes->id_size))
        return true;
    pt_problem(request, response, PT_INVALID_REQUEST, "The identifier in the path is no UUID.",
               NULL);
    return false;
}

static bool check_token(const pt_http_t *http, pt_request_t *request, pt_response_t *response)
{
    if (request->route->flags & PT_ROUTE_OPEN)
        return true;
    const char *authorization = pt_request_header(request, "Authorization");
    switch (pt_auth_check(http->auth, authorization, &request->caller)) {
    case PT_AUTH_KNOWN:
        return true;
    case PT_AUTH_UNAVAILABLE:
        pt_problem_unavailable(request, response);
        return false;
    case PT_AUTH_REFUSED:
        break;
    }
    pt_problem(request, response, PT_UNAUTHORIZED,
               "Send the header \"Authorization: Bearer ab_…\" with a token that is in force.",
               NULL);
    return false;
}

static bool check_types(const pt_request_t *request, pt_response_t *response)
{
    unsigned flags = request->route->flags;
    bool text = (flags & PT_ROUTE_TEXT) && pt_request_prefers_text(request);
    bool any = flags & (PT_ROUTE_OPEN | PT_ROUTE_FORMATS);
    if (!any && !text && !pt_request_accepts_json(request)) {
        pt_problem(request, response, PT_NOT_ACCEPTABLE, "Accept must allow application/json.",
                   NULL);
        return false;
    }
    if (!(flags & PT_ROUTE_BODY))
        return true;
    if (pt_request_is_encoded(request)) {
        pt_problem(request, response, PT_UNSUPPORTED_TYPE,
                   "Send the body without Content-Encoding.", NULL);
        pt_response_header(response, "Accept-Encoding", "identity");
        return false;
    }
    bool fasta = flags & PT_ROUTE_FASTA;
    if (pt_request_is_json(request) || (fasta && pt_request_is_fasta(request)))
        return true;
    pt_problem(request, response, PT_UNSUPPORTED_TYPE,
               fasta ? "Send the header \"Content-Type: application/json\" or \"text/x-fasta\"."
                     : "Send the header \"Content-Type: application/json\".",
               NULL);
    pt_response_header(response, "Accept",
                       fasta ? "application/json, text/x-fasta" : "application/json");
    return false;
}

static bool read_body(pt_http_server_t *server, pt_exchange_t *exchange, pt_request_t *request,
                      pt_response_t *response)
{
    if (!(request->route->flags & PT_ROUTE_BODY))
        return true;
    if (request->route->flags & PT_ROUTE_LARGE)
        pt_exchange_allow_large(exchange, &server->large_bodies);
    return pt_exchange_read(exchange, request, response);
}

static void answer(listener_t *listener, pt_exchange_t *exchange, pt_request_t *request,
                   pt_response_t *response)
{
    pt_http_server_t *server = listener->server;
    pt_problem_t problem;
    const char *fault = pt_exchange_fault(exchange, &problem);
    if (fault) {
        exchange->close = true;
        pt_problem(request, response, problem, fault, NULL);
    } else if (atomic_load(&server->draining)) {
        exchange->close = true;
        pt_problem(request, response, PT_UNAVAILABLE,
                   "This gateway is ending. Ask another one, or this one again when it is back.",
                   NULL);
    } else if (find_route(listener, request, response) &&
               check_token(&server->http, request, response) && read_holes(request, response) &&
               check_types(request, response) && read_body(server, exchange, request, response))
        request->route->handler(&server->http, request, response);
}

/* ---- civetweb's callbacks ---------------------------------------------------------------- */

static listener_t *listener_of(const struct mg_connection *connection)
{
    return mg_get_user_context_data(connection);
}

static void account(const struct mg_connection *connection, const pt_request_t *request, int status,
                    int64_t took_us)
{
    pt_http_server_t *server = listener_of(connection)->server;
    pt_metrics_count(server->http.metrics, request->route, status, took_us);
    pt_access_note(&server->access, mg_get_request_info(connection)->remote_addr, request, status,
                   took_us);
}

/* Whole requests are answered here; civetweb never looks for a file. */
static int on_request(struct mg_connection *connection)
{
    listener_t *listener = listener_of(connection);
    pt_http_server_t *server = listener->server;
    int64_t began = pt_wall_us();
    pt_exchange_t exchange;
    pt_request_t request;
    pt_response_t response = {.status = 0};
    atomic_fetch_add(&server->open, 1);
    pt_seat_phase(PT_SEAT_WORK, 0);
    pt_exchange_open(&exchange, connection, &server->bodies, &request);
    answer(listener, &exchange, &request, &response);
    /* When most threads are taken, nobody may keep one for a request that may come. */
    exchange.close |= pt_seats_taken(listener->seats) * 4 >= listener->threads * 3;
    exchange.close |= atomic_load(&server->draining);
    pt_exchange_send(&exchange, &request, &response);
    int status = response.status;
    account(connection, &request, status, pt_wall_us() - began);
    pt_response_clear(&response);
    pt_exchange_close(&exchange);
    pt_seat_phase(PT_SEAT_IDLE, PT_IDLE_MS);
    atomic_fetch_sub(&server->open, 1);
    return status;
}

static int on_error(struct mg_connection *connection, int status, const char *message)
{
    (void)message;
    account(connection, &(pt_request_t){.path = NULL}, pt_exchange_reject(connection, status), 0);
    return 0;
}

static int on_connected(const struct mg_connection *connection, void **data)
{
    listener_t *listener = listener_of(connection);
    *data = NULL;
    pt_seat_take(listener->seats);
    pt_metrics_connections(listener->server->http.metrics, 1);
    return 0;
}

static void on_closed(const struct mg_connection *connection)
{
    pt_metrics_t *metrics = listener_of(connection)->server->http.metrics;
    if (pt_seat_was_ended())
        pt_metrics_ended(metrics);
    pt_seat_leave();
    pt_metrics_connections(metrics, -1);
}

static int on_message(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    pt_log(PT_WARNING, "civetweb", PT_S("says", message));
    return 1;
}

/* ---- start and end ----------------------------------------------------------------------- */

/* civetweb would take "443s" for HTTPS, which crashes in Debian's build, and a comma for two. */
static bool is_address(const char *text)
{
    const char *port = strrchr(text, ':');
    return port && port > text && !strchr(text, ',') && port[1] &&
           strspn(port + 1, "0123456789") == strlen(port + 1);
}

/* Without a descriptor left civetweb's accept fails, is tried again at once, and nobody is told. */
static bool has_descriptors(const pt_http_settings_t *settings)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)settings->threads + QUEUE + OTHER_DESCRIPTORS;
    if (settings->health_listen)
        needed += HEALTH_THREADS + HEALTH_QUEUE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return true;
    pt_log(PT_ERROR, "too few descriptors for so many threads: raise ulimit -n, or lower --threads",
           PT_N("descriptors", (int64_t)limit.rlim_cur), PT_N("needed", (int64_t)needed));
    return false;
}

/* civetweb's threads; NULL, and `why` says why. */
static struct mg_context *start_civetweb(listener_t *self, char *why, size_t size)
{
    char threads[16], queue[16];
    snprintf(threads, sizeof threads, "%d", self->threads);
    snprintf(queue, sizeof queue, "%d", self->queue);
    const char *options[] = {"listening_ports",
                             self->address,
                             "num_threads",
                             threads,
                             "listen_backlog",
                             "4096",
                             "connection_queue",
                             queue,
                             "max_request_size",
                             PT_HEAD_MAX,
                             "request_timeout_ms",
                             "5000", /* PT_HEAD_MS, for each single wait */
                             "enable_keep_alive",
                             "yes",
                             "keep_alive_timeout_ms",
                             "2000", /* PT_IDLE_MS */
                             "tcp_nodelay",
                             "1",
                             "decode_url",
                             "no",
                             "enable_directory_listing",
                             "no",
                             "enable_auth_domain_check",
                             "no",
                             NULL};
    static const struct mg_callbacks callbacks = {.begin_request = on_request,
                                                  .http_error = on_error,
                                                  .log_message = on_message,
                                                  .init_connection = on_connected,
                                                  .connection_closed = on_closed};
    struct mg_init_data init = {&callbacks, self, options};
    struct mg_error_data error = {.text = why, .text_buffer_size = size};
    return mg_start2(&init, &error);
}

static bool listen_on(listener_t *self, const char *address)
{
    if (!is_address(address)) {
        pt_log(PT_ERROR, "listen on HOST:PORT; TLS is haproxy's part", PT_S("listen", address));
        return false;
    }
    char why[256] = "";
    self->seats = pt_seats_new(self->threads);
    snprintf(self->address, sizeof self->address, "%s", address);
    self->context = start_civetweb(self, why, sizeof why);
    if (!self->context)
        pt_log(PT_ERROR, "cannot listen", PT_S("listen", address), PT_S("why", why));
    return self->context != NULL;
}

pt_http_server_t *pt_http_server_new(const pt_gateway_t *gateway,
                                     const pt_http_settings_t *settings)
{
    if (sodium_init() < 0 || mg_init_library(MG_FEATURES_DEFAULT) != MG_FEATURES_DEFAULT) {
        pt_log(PT_ERROR, "libsodium or civetweb does not start");
        return NULL;
    }
    pt_http_server_t *self = zmalloc(sizeof *self);
    self->http.gateway = gateway;
    self->http.auth = pt_auth_new(gateway);
    self->http.metrics = pt_metrics_new();
    self->bodies.max = BODIES_MAX;
    self->large_bodies.max = LARGE_BODIES_MAX;
    self->main = (listener_t){.server = self, .threads = settings->threads, .queue = QUEUE};
    self->health = (listener_t){
        .server = self, .threads = HEALTH_THREADS, .queue = HEALTH_QUEUE, .health_only = true};
    bool access = pt_access_init(&self->access, settings->access_log, settings->trusted_proxies);
    if (!access || !self->http.metrics || !has_descriptors(settings) ||
        !listen_on(&self->main, settings->listen) ||
        (settings->health_listen && !listen_on(&self->health, settings->health_listen)))
        pt_http_server_destroy(&self);
    return self;
}

void pt_http_server_refuse(pt_http_server_t *self)
{
    atomic_store(&self->draining, true);
}

/* mg_stop cuts answers off in the middle, so those that are under way are waited for first. */
static void drain(pt_http_server_t *self)
{
    int64_t until = pt_clock_ms() + DRAIN_MS;
    pt_http_server_refuse(self);
    while (atomic_load(&self->open) > 0 && pt_clock_ms() < until)
        zclock_sleep(5);
    if (atomic_load(&self->open) > 0)
        pt_log(PT_WARNING, "requests were cut off", PT_N("open", atomic_load(&self->open)));
}

static void *stop_listener(void *arg)
{
    listener_t *self = arg;
    mg_stop(self->context);
    atomic_store(&self->stopped, true);
    return NULL;
}

/* civetweb's master thread looks whether it shall end each 2 s, and whenever somebody connects. */
static void wake_master(const listener_t *self)
{
    char host[sizeof self->address], ignored[64];
    snprintf(host, sizeof host, "%s", self->address);
    char *port = strrchr(host, ':');
    *port = 0;
    struct mg_connection *conn =
        mg_connect_client(host, atoi(port + 1), 0, ignored, sizeof ignored);
    if (conn)
        mg_close_connection(conn);
}

static void stop_both(listener_t *main, listener_t *health)
{
    listener_t *const all[] = {main, health};
    for (int i = 0; i < 2; i++)
        if (all[i]->context)
            pthread_create(&all[i]->stopper, NULL, stop_listener, all[i]);
    for (int i = 0; i < 2; i++) {
        if (!all[i]->context)
            continue;
        while (!atomic_load(&all[i]->stopped)) {
            pt_seats_clear(all[i]->seats);
            wake_master(all[i]);
            zclock_sleep(20);
        }
        pthread_join(all[i]->stopper, NULL);
    }
    pt_seats_destroy(&main->seats);
    pt_seats_destroy(&health->seats);
}

void pt_http_server_destroy(pt_http_server_t **self_p)
{
    pt_http_server_t *self = *self_p;
    if (!self)
        return;
    drain(self);
    stop_both(&self->main, &self->health);
    pt_auth_destroy(&self->http.auth);
    pt_metrics_destroy(&self->http.metrics);
    pt_access_clear(&self->access);
    mg_exit_library();
    free(self);
    *self_p = NULL;
}
