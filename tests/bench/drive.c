/* A client that costs little: submits jobs over keep-alive connections, and prints what it saw.
 *   drive HOST:PORT TOKEN VARIANT CONNECTIONS RATE COUNT [EVENTS]
 * RATE jobs a second, whether or not the earlier ones were answered (open loop: times count from
 * when a request was due); 0: each connection sends when it was answered. With EVENTS, a broker's
 * endpoint for subscribers, also how long after a job's created_at its events were heard. */
#include "proto/program/process.h"
#include "proto/topic.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#define CONNECTIONS_MAX 512
#define LINGER_S 3 /* how long events are waited for after the last answer */

typedef struct {
    int fd;
    double due; /* of the request under way, 0: idle */
    size_t size;
    char text[4096];
} connection_t;

typedef struct {
    struct sockaddr_in address;
    char request[1024];
    size_t request_size;
    connection_t connections[CONNECTIONS_MAX];
    size_t count, next, accepted, refused, broken;
    double *posts; /* seconds, a request each */
} driver_t;

/* Times since created_at of the events of one kind. */
typedef struct {
    double *values;
    size_t count;
} times_t;

typedef struct {
    const char *endpoint;
    size_t room;
    zhashx_t *created; /* job id → created_at, malloc'ed */
    times_t started, completed;
    atomic_bool ready, stop;
    pthread_t thread;
} watcher_t;

static double now_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* ---- events ------------------------------------------------------------------------------ */

static void note(watcher_t *self, const pt_msg_t *event)
{
    char id[PT_UUID_TEXT];
    int64_t heard = pt_wall_us();
    pt_uuid_format(&event->job_id, id);
    if (streq(event->type, "created")) {
        int64_t *at = zmalloc(sizeof *at);
        *at = event->at;
        zhashx_insert(self->created, id, at);
        return;
    }
    const int64_t *created = zhashx_lookup(self->created, id);
    times_t *times = streq(event->type, "started")     ? &self->started
                     : streq(event->type, "completed") ? &self->completed
                                                       : NULL;
    if (created && times && times->count < self->room)
        times->values[times->count++] = (double)(heard - *created) / 1e6;
}

static void *watch(void *arg)
{
    watcher_t *self = arg;
    zsock_t *sub = pt_socket_new(ZMQ_SUB, 0);
    zsock_set_subscribe(sub, "event.");
    zsock_set_rcvtimeo(sub, 50);
    if (zsock_connect(sub, "%s", self->endpoint) != 0)
        exit(1);
    zclock_sleep(300); /* the subscription's way */
    atomic_store(&self->ready, true);
    while (!atomic_load(&self->stop)) {
        zmsg_t *parts = zmsg_recv(sub);
        if (!parts)
            continue;
        zmsg_first(parts);
        zframe_t *head = zmsg_next(parts);
        pt_msg_t event;
        if (head && !pt_msg_decode(&event, zframe_data(head), zframe_size(head))) {
            note(self, &event);
            pt_msg_clear(&event);
        }
        zmsg_destroy(&parts);
    }
    zsock_destroy(&sub);
    return NULL;
}

/* ---- requests ---------------------------------------------------------------------------- */

static void open_connection(driver_t *self, connection_t *connection)
{
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection->size = 0;
    connection->due = 0;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(connection->fd, (struct sockaddr *)&self->address, sizeof self->address) != 0) {
        perror("drive: connect");
        exit(1);
    }
}

static void reopen(driver_t *self, connection_t *connection)
{
    close(connection->fd);
    open_connection(self, connection);
}

static void ask(driver_t *self, connection_t *connection, double due)
{
    if (write(connection->fd, self->request, self->request_size) != (ssize_t)self->request_size) {
        reopen(self, connection); /* the server's keep-alive had ended */
        if (write(connection->fd, self->request, self->request_size) < 0)
            self->broken++;
    }
    connection->due = due;
}

/* Whether the answer is whole: head, and as much body as it says. */
static bool is_whole(const connection_t *connection)
{
    const char *end = strstr(connection->text, "\r\n\r\n");
    const char *length = strcasestr(connection->text, "\r\nContent-Length: ");
    return end && length && length < end &&
           connection->size >= (size_t)(end + 4 - connection->text) + (size_t)atoi(length + 18);
}

static void take_answer(driver_t *self, connection_t *connection)
{
    if (strncmp(connection->text, "HTTP/1.1 202", 12) == 0)
        self->posts[self->accepted++] = now_s() - connection->due;
    else
        self->refused++;
    bool closes = strcasestr(connection->text, "\r\nConnection: close") != NULL;
    connection->size = 0;
    connection->due = 0;
    if (closes)
        reopen(self, connection);
}

static void on_readable(driver_t *self, connection_t *connection)
{
    ssize_t got = read(connection->fd, connection->text + connection->size,
                       sizeof connection->text - 1 - connection->size);
    if (got <= 0) {
        self->broken += connection->due > 0;
        reopen(self, connection);
        return;
    }
    connection->size += (size_t)got;
    connection->text[connection->size] = 0;
    if (is_whole(connection))
        take_answer(self, connection);
}

/* The idle connection whose turn it is, so that all stay warm; NULL: none. */
static connection_t *idle(driver_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        connection_t *connection = &self->connections[self->next++ % self->count];
        if (connection->due == 0)
            return connection;
    }
    return NULL;
}

static void wait_readable(driver_t *self, double until)
{
    struct pollfd items[CONNECTIONS_MAX];
    for (size_t i = 0; i < self->count; i++)
        items[i] = (struct pollfd){.fd = self->connections[i].fd, .events = POLLIN};
    double left = until - now_s();
    left = left < 0 ? 0 : left > 1 ? 1 : left;
    struct timespec timeout = {.tv_nsec = (long)(left * 999999999.0)};
    if (ppoll(items, self->count, &timeout, NULL) <= 0)
        return;
    for (size_t i = 0; i < self->count; i++)
        if (items[i].revents)
            on_readable(self, &self->connections[i]);
}

/* Returns the seconds that it took. */
static double drive(driver_t *self, double rate, size_t count)
{
    double began = now_s(), answered = began;
    for (size_t sent = 0; self->accepted + self->refused + self->broken < count;) {
        double now = now_s(), due = rate > 0 ? began + (double)sent / rate : now;
        connection_t *connection = sent < count && due <= now ? idle(self) : NULL;
        if (connection) {
            ask(self, connection, due);
            sent++;
            continue;
        }
        wait_readable(self, sent < count && rate > 0 && due > now ? due : now + 0.1);
        answered = now_s();
        if (answered - began > 600)
            break;
    }
    return answered - began;
}

/* ---- what came out ----------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_times(const char *name, double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    if (count > 0)
        printf(", \"%s\": {\"count\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f}", name, count,
               values[count / 2] * 1e3, values[count * 99 / 100] * 1e3);
}

static void build_request(driver_t *self, const char *host, const char *token, const char *variant)
{
    int size = snprintf(self->request, sizeof self->request,
                        "POST /v1/jobs HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
                        "{\"variant_id\":\"%s\",\"job_type\":\"humanization\"}",
                        host, token, strlen(variant) + 43, variant);
    self->request_size = (size_t)size;
}

static void free_value(void **item)
{
    free(*item);
    *item = NULL;
}

static void start_watching(watcher_t *self, const char *endpoint, size_t room)
{
    self->endpoint = endpoint;
    self->room = room;
    self->created = zhashx_new();
    zhashx_set_destructor(self->created, free_value);
    self->started.values = zmalloc(room * sizeof(double));
    self->completed.values = zmalloc(room * sizeof(double));
    pthread_create(&self->thread, NULL, watch, self);
    while (!atomic_load(&self->ready))
        zclock_sleep(10);
}

static void stop_watching(watcher_t *self)
{
    for (int i = 0; i < LINGER_S * 20 && self->completed.count < self->room; i++)
        zclock_sleep(50);
    atomic_store(&self->stop, true);
    pthread_join(self->thread, NULL);
    print_times("heard_started", self->started.values, self->started.count);
    print_times("heard_completed", self->completed.values, self->completed.count);
}

int main(int argc, char **argv)
{
    static driver_t driver;
    watcher_t watcher = {.endpoint = NULL};
    char *port = argc >= 7 ? strchr(argv[1], ':') : NULL;
    if (!port || atoi(argv[4]) < 1 || atoi(argv[4]) > CONNECTIONS_MAX)
        return 2;
    zsys_handler_set(NULL);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    build_request(&driver, argv[1], argv[2], argv[3]);
    *port = 0;
    driver.address = (struct sockaddr_in){.sin_family = AF_INET,
                                          .sin_port = htons((uint16_t)atoi(port + 1)),
                                          .sin_addr.s_addr = inet_addr(argv[1])};
    size_t count = (size_t)atoll(argv[6]);
    driver.posts = zmalloc(count * sizeof(double));
    driver.count = (size_t)atoi(argv[4]);
    for (size_t i = 0; i < driver.count; i++)
        open_connection(&driver, &driver.connections[i]);
    if (argc > 7)
        start_watching(&watcher, argv[7], count);
    double seconds = drive(&driver, atof(argv[5]), count);
    printf("{\"accepted\": %zu, \"refused\": %zu, \"broken\": %zu, \"seconds\": %.6f",
           driver.accepted, driver.refused, driver.broken, seconds);
    print_times("post", driver.posts, driver.accepted);
    if (argc > 7)
        stop_watching(&watcher);
    puts("}");
    return 0;
}
