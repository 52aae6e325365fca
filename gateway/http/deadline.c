#include "gateway/http/deadline.h"

#include "gateway/http/seats.h"
#include "proto/program/process.h"

#include <errno.h>
#include <poll.h>

static _Thread_local int64_t until; /* pt_clock_ms; 0: no deadline */

void pt_deadline_start(int ms)
{
    until = pt_clock_ms() + ms;
}

void pt_deadline_end(void)
{
    until = 0;
}

bool pt_deadline_is_over(void)
{
    return until != 0 && pt_clock_ms() >= until;
}

static int system_poll(struct pollfd *items, nfds_t count, int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    return ppoll(items, count, ms < 0 ? NULL : &time, NULL);
}

/* As poll, but never beyond the thread's deadline. */
static int wait_in_time(struct pollfd *items, nfds_t count, int ms)
{
    if (until == 0)
        return system_poll(items, count, ms);
    int64_t left = until - pt_clock_ms();
    int ready = 0;
    if (left > 0)
        ready = system_poll(items, count, ms >= 0 && ms < left ? ms : (int)left);
    if (ready != 0 || (left > 0 && pt_clock_ms() < until))
        return ready;
    errno = ETIMEDOUT;
    return -1;
}

/* In a function of its own: glibc tells gcc that poll reads nothing of its items. */
static __attribute__((noinline)) int socket_of(struct pollfd *items)
{
    return items->fd;
}

int poll(struct pollfd *items, nfds_t count, int ms)
{
    if (count == 1)
        pt_seat_wait(socket_of(items));
    int ready = wait_in_time(items, count, ms), error = errno;
    pt_seat_waited(ready > 0);
    errno = error;
    return ready;
}
