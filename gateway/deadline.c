#include "gateway/deadline.h"

#include "proto/program/process.h"

#include <errno.h>
#include <sys/socket.h>

static _Thread_local int64_t until; /* pt_clock_ms; 0: no deadline */

void pt_deadline_start(int ms)
{
    until = pt_clock_ms() + ms;
}

void pt_deadline_end(void)
{
    until = 0;
}

static int has_passed(void)
{
    if (until == 0 || pt_clock_ms() < until)
        return 0;
    errno = ETIMEDOUT;
    return 1;
}

/* What libc's own ones do is these calls with no address. */
ssize_t recv(int fd, void *data, size_t size, int flags)
{
    return has_passed() ? -1 : recvfrom(fd, data, size, flags, NULL, NULL);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    return has_passed() ? -1 : sendto(fd, data, size, flags, NULL, 0);
}
