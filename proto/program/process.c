#include "proto/program/process.h"

#include "proto/wire.h"

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int pt_process_start(void)
{
    zsys_handler_set(NULL);
    zsys_set_max_sockets(0);
    signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    raise_descriptors();
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int pt_process_signals(int descriptor)
{
    static int count; /* a signal's own global state: only the main thread reads it */
    struct signalfd_siginfo info;
    while (read(descriptor, &info, sizeof info) == (ssize_t)sizeof info)
        count++;
    return count;
}

int64_t pt_wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t pt_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pt_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct timespec pt_until(int64_t clock_ms)
{
    return (struct timespec){clock_ms / 1000, clock_ms % 1000 * 1000000};
}

zsock_t *pt_socket_new(int type, int linger_ms)
{
    zsock_t *self = zsock_new(type);
    if (!self)
        return NULL;
    zsock_set_linger(self, linger_ms);
    zsock_set_maxmsgsize(self, PT_FRAME_MAX);
    zsock_set_backlog(self, 4096);
    zsock_set_immediate(self, 1);
    zsock_set_tcp_keepalive(self, 1);
    zsock_set_reconnect_ivl(self, 100);
    zsock_set_reconnect_ivl_max(self, 1000);
    zsock_set_sndtimeo(self, 0);
    if (type == ZMQ_ROUTER)
        zsock_set_router_mandatory(self, 1);
    return self;
}

bool pt_socket_send(zsock_t *socket, zframe_t *routing, const void *head, size_t head_size,
                    zframe_t *payload)
{
    /* Only the first part can find no room: libzmq takes a message whole or not at all. */
    if (routing && zframe_send(&routing, socket, ZFRAME_MORE | ZFRAME_REUSE | ZFRAME_DONTWAIT)) {
        zframe_destroy(&payload);
        return false;
    }
    zframe_t *header = zframe_new(head, head_size);
    int flags = (payload ? ZFRAME_MORE : 0) | ZFRAME_DONTWAIT;
    bool sent = zframe_send(&header, socket, flags) == 0;
    if (!sent) {
        zframe_destroy(&header);
        zframe_destroy(&payload);
        return false;
    }
    return !payload || zframe_send(&payload, socket, ZFRAME_DONTWAIT) == 0;
}
