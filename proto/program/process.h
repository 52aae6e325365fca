/* What every program asks of its process, clock and sockets. */
#ifndef PT_PROCESS_H
#define PT_PROCESS_H

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

/* Before the first socket: takes the signals from CZMQ, blocks SIGINT and SIGTERM for all threads
   and makes them readable, ignores SIGPIPE, raises RLIMIT_NOFILE to its hard limit. Returns a
   descriptor that becomes readable with each signal; the first asks for a clean end. */
int pt_process_start(void);

/* How many signals have come, 0 if none; takes them from the descriptor. The second one means:
   stop at once. */
int pt_process_signals(int descriptor);

/* Microseconds since 1970. */
int64_t pt_wall_us(void);

/* Milliseconds of a clock that only goes forward. */
int64_t pt_clock_ms(void);

/* A condition whose timed waits are by pt_clock_ms. */
void pt_cond_init(pthread_cond_t *cond);
struct timespec pt_until(int64_t clock_ms);

/* A socket with the settings that PLATFORM.md's measurements ask for: linger 0 (`linger_ms`),
   limits on frames and queue, ROUTER_MANDATORY with no wait, immediate, backlog, keep-alive. */
zsock_t *pt_socket_new(int type, int linger_ms);

/* Sends the parts without waiting; false if the peer is gone or its queue full. Takes `payload`. */
bool pt_socket_send(zsock_t *socket, zframe_t *routing, const void *head, size_t head_size,
                    zframe_t *payload);

#endif
