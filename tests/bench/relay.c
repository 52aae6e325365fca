/* A bare ROUTER-ROUTER relay, and its load: what a broker could do at best that decides nothing.
 *   relay serve FRONT BACK
 *   relay load FRONT BACK WORKERS JOBS
 * The front peer names the worker by number; as many messages are under way as in a broker with 2 slots a worker. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define WORKERS_MAX 1024
#define HEAD 150
#define PAYLOAD 300
#define EACH 2
#define SLACK 64 /* as a broker has queued beyond its slots */

typedef struct {
    char bytes[256];
    int size;
} name_t;

static void *open_socket(void *context, int type, const char *endpoint, bool bind)
{
    int zero = 0, many = 100000;
    void *socket = zmq_socket(context, type);
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &many, sizeof many);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &many, sizeof many);
    if ((bind ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint)) != 0) {
        perror("relay");
        exit(1);
    }
    return socket;
}

static int take(void *socket, void *bytes, size_t room)
{
    return zmq_recv(socket, bytes, room, ZMQ_DONTWAIT);
}

/* ---- the relay --------------------------------------------------------------------------- */

static bool pass_job(void *front, void *back, name_t *gateway, const name_t *workers)
{
    char head[HEAD], payload[PAYLOAD];
    uint32_t n;
    int size = take(front, gateway->bytes, sizeof gateway->bytes);
    if (size < 0)
        return false;
    gateway->size = size;
    take(front, &n, sizeof n);
    take(front, head, sizeof head);
    take(front, payload, sizeof payload);
    zmq_send(back, workers[n % WORKERS_MAX].bytes, (size_t)workers[n % WORKERS_MAX].size,
             ZMQ_SNDMORE);
    zmq_send(back, head, sizeof head, ZMQ_SNDMORE);
    zmq_send(back, payload, sizeof payload, 0);
    return true;
}

static bool pass_ending(void *front, void *back, const name_t *gateway, name_t *workers)
{
    name_t from;
    char head[HEAD];
    uint32_t n;
    from.size = take(back, from.bytes, sizeof from.bytes);
    if (from.size < 0)
        return false;
    take(back, &n, sizeof n);
    int size = take(back, head, sizeof head);
    if (size == 0) {
        workers[n % WORKERS_MAX] = from; /* its hello, answered */
        zmq_send(back, from.bytes, (size_t)from.size, ZMQ_SNDMORE);
        zmq_send(back, "", 0, 0);
        return true;
    }
    zmq_send(front, gateway->bytes, (size_t)gateway->size, ZMQ_SNDMORE);
    zmq_send(front, &n, sizeof n, ZMQ_SNDMORE);
    zmq_send(front, head, (size_t)size, 0);
    return true;
}

static void serve(const char *front_at, const char *back_at)
{
    static name_t workers[WORKERS_MAX];
    name_t gateway = {.size = 0};
    void *context = zmq_ctx_new();
    void *front = open_socket(context, ZMQ_ROUTER, front_at, true);
    void *back = open_socket(context, ZMQ_ROUTER, back_at, true);
    zmq_pollitem_t items[] = {{front, 0, ZMQ_POLLIN, 0}, {back, 0, ZMQ_POLLIN, 0}};
    for (;;) {
        bool any = false;
        for (int i = 0; i < 32; i++)
            any = pass_job(front, back, &gateway, workers) || any;
        for (int i = 0; i < 32; i++)
            any = pass_ending(front, back, &gateway, workers) || any;
        if (!any)
            zmq_poll(items, 2, -1);
    }
}

/* ---- its load ---------------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void send_job(void *front, uint32_t worker)
{
    static const char head[HEAD], payload[PAYLOAD];
    zmq_send(front, &worker, sizeof worker, ZMQ_SNDMORE);
    zmq_send(front, head, sizeof head, ZMQ_SNDMORE);
    zmq_send(front, payload, sizeof payload, 0);
}

/* A worker answers each message at once; how many. */
static int answer(void *worker, uint32_t n)
{
    char head[HEAD], payload[PAYLOAD];
    int count = 0;
    for (; take(worker, head, sizeof head) >= 0; count++) {
        take(worker, payload, sizeof payload);
        zmq_send(worker, &n, sizeof n, ZMQ_SNDMORE);
        zmq_send(worker, head, sizeof head, 0);
    }
    return count;
}

static void load(const char *front_at, const char *back_at, uint32_t count, uint64_t jobs)
{
    void *context = zmq_ctx_new(), *workers[WORKERS_MAX];
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, WORKERS_MAX + 16);
    void *front = open_socket(context, ZMQ_DEALER, front_at, false);
    zmq_pollitem_t items[WORKERS_MAX + 1] = {{front, 0, ZMQ_POLLIN, 0}};
    for (uint32_t n = 0; n < count; n++) {
        workers[n] = open_socket(context, ZMQ_DEALER, back_at, false);
        items[n + 1] = (zmq_pollitem_t){workers[n], 0, ZMQ_POLLIN, 0};
        zmq_send(workers[n], &n, sizeof n, ZMQ_SNDMORE);
        zmq_send(workers[n], "", 0, 0);
    }
    for (uint32_t n = 0; n < count; n++) {
        char hello[1];
        zmq_recv(workers[n], hello, sizeof hello, 0);
    }
    double began = now_s();
    uint64_t sent = 0, ended = 0;
    for (; sent < (uint64_t)EACH * count + SLACK && sent < jobs; sent++)
        send_job(front, (uint32_t)(sent % count));
    while (ended < jobs) {
        char head[HEAD];
        uint32_t n;
        int any = 0;
        while (take(front, &n, sizeof n) >= 0) {
            take(front, head, sizeof head);
            ended++;
            any++;
            if (sent < jobs) {
                send_job(front, n);
                sent++;
            }
        }
        for (uint32_t i = 0; i < count; i++)
            any += answer(workers[i], i);
        if (!any)
            zmq_poll(items, (int)count + 1, 50);
    }
    printf("{\"jobs\": %llu, \"seconds\": %.6f}\n", (unsigned long long)jobs, now_s() - began);
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        serve(argv[2], argv[3]);
    if (argc != 6 || atoi(argv[4]) < 1 || atoi(argv[4]) > WORKERS_MAX)
        return 2;
    load(argv[2], argv[3], (uint32_t)atoi(argv[4]), strtoull(argv[5], NULL, 10));
}
