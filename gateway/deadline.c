#include "gateway/deadline.h"

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

static int system_poll(struct pollfd *items, nfds_t count, int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    return ppoll(items, count, ms < 0 ? NULL : &time, NULL);
}

int poll(struct pollfd *items, nfds_t count, int ms)
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
