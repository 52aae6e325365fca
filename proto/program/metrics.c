#include "proto/program/metrics.h"

#include "proto/program/process.h"

#define TURN_MAX 256 /* pieces read a call */

/* A connection and what it has said so far. */
typedef struct {
    zframe_t *id; /* NULL: free */
    char request[PT_METRICS_REQUEST];
    size_t size;
    int64_t until;
    bool answered;
} client_t;

struct pt_metrics {
    zsock_t *socket;
    client_t clients[PT_METRICS_PEERS];
    char *page; /* of this call */
    size_t page_size;
};

pt_metrics_t *pt_metrics_new(const char *host_port)
{
    pt_metrics_t *self = zmalloc(sizeof *self);
    self->socket = pt_socket_new(ZMQ_STREAM, 0);
    if (!self->socket || zsock_bind(self->socket, "tcp://%s", host_port) < 0) {
        int why = errno;
        pt_metrics_destroy(&self);
        errno = why;
    }
    return self;
}

void pt_metrics_destroy(pt_metrics_t **self_p)
{
    pt_metrics_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < PT_METRICS_PEERS; i++)
        zframe_destroy(&self->clients[i].id);
    zsock_destroy(&self->socket);
    free(self);
    *self_p = NULL;
}

zsock_t *pt_metrics_socket(pt_metrics_t *self)
{
    return self->socket;
}

/* ---- connections ------------------------------------------------------------------------- */

static client_t *find(pt_metrics_t *self, zframe_t *id)
{
    for (size_t i = 0; i < PT_METRICS_PEERS; i++)
        if (self->clients[i].id && zframe_eq(self->clients[i].id, id))
            return &self->clients[i];
    return NULL;
}

static client_t *add(pt_metrics_t *self, zframe_t *id)
{
    for (size_t i = 0; i < PT_METRICS_PEERS; i++) {
        client_t *client = &self->clients[i];
        if (!client->id) {
            client->id = zframe_dup(id);
            client->size = 0;
            client->answered = false;
            client->until = pt_clock_ms() + PT_METRICS_MS;
            return client;
        }
    }
    return NULL;
}

/* An empty piece makes the socket close that connection. */
static void hang_up(pt_metrics_t *self, zframe_t *id)
{
    pt_socket_send(self->socket, id, "", 0, NULL);
}

static void drop(pt_metrics_t *self, client_t *client)
{
    hang_up(self, client->id);
    zframe_destroy(&client->id);
}

/* ---- answers ----------------------------------------------------------------------------- */

/* The client closes when it has the Content-Length; who does not is closed when its time is up. */
static void answer(pt_metrics_t *self, client_t *client, const char *status, const char *body,
                   size_t size)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    if (!to)
        return;
    fprintf(to,
            "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: %zu\r\nConnection: close\r\n\r\n",
            status, size);
    fwrite(body, 1, size, to);
    if (fclose(to) == 0)
        pt_socket_send(self->socket, client->id, text, length, NULL);
    free(text);
    client->answered = true;
}

static void render_page(pt_metrics_t *self, pt_metrics_render_fn *render, void *arg)
{
    FILE *to = self->page ? NULL : open_memstream(&self->page, &self->page_size);
    if (!to)
        return;
    render(arg, to);
    fclose(to);
}

static bool asks_for_metrics(const client_t *client)
{
    static const char *const lines[] = {"GET /metrics HTTP/1.", "GET /metrics?"};
    for (size_t i = 0; i < 2; i++)
        if (client->size > strlen(lines[i]) &&
            memcmp(client->request, lines[i], strlen(lines[i])) == 0)
            return true;
    return false;
}

static bool complete(const client_t *client)
{
    return memmem(client->request, client->size, "\r\n\r\n", 4) != NULL;
}

static void respond(pt_metrics_t *self, client_t *client, pt_metrics_render_fn *render, void *arg)
{
    static const char not_found[] = "GET /metrics is all there is\n";
    if (!asks_for_metrics(client)) {
        answer(self, client, "404 Not Found", not_found, sizeof not_found - 1);
        return;
    }
    render_page(self, render, arg);
    if (self->page)
        answer(self, client, "200 OK", self->page, self->page_size);
    else
        drop(self, client);
}

/* ---- input ------------------------------------------------------------------------------- */

static void take(pt_metrics_t *self, client_t *client, zframe_t *data, pt_metrics_render_fn *render,
                 void *arg)
{
    if (client->answered) /* one request a connection; the rest of it is of no interest */
        return;
    if (zframe_size(data) > sizeof client->request - client->size) {
        drop(self, client);
        return;
    }
    memcpy(client->request + client->size, zframe_data(data), zframe_size(data));
    client->size += zframe_size(data);
    if (complete(client))
        respond(self, client, render, arg);
}

static void on_piece(pt_metrics_t *self, zframe_t *id, zframe_t *data, pt_metrics_render_fn *render,
                     void *arg)
{
    client_t *client = find(self, id);
    if (zframe_size(data) == 0) { /* it came, or went */
        if (client)
            zframe_destroy(&client->id);
        else if (!add(self, id))
            hang_up(self, id);
    } else if (client) {
        take(self, client, data, render, arg);
    }
}

static void drop_late(pt_metrics_t *self)
{
    int64_t now = pt_clock_ms();
    for (size_t i = 0; i < PT_METRICS_PEERS; i++)
        if (self->clients[i].id && now > self->clients[i].until)
            drop(self, &self->clients[i]);
}

static bool readable(zsock_t *socket)
{
    return zsock_events(socket) & ZMQ_POLLIN;
}

void pt_metrics_serve(pt_metrics_t *self, pt_metrics_render_fn *render, void *arg)
{
    for (int i = 0; i < TURN_MAX && readable(self->socket); i++) {
        zframe_t *id = zframe_recv(self->socket);
        zframe_t *data = id && zframe_more(id) ? zframe_recv(self->socket) : NULL;
        if (data)
            on_piece(self, id, data, render, arg);
        zframe_destroy(&id);
        zframe_destroy(&data);
    }
    drop_late(self);
    free(self->page);
    self->page = NULL;
}
