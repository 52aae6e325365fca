/* A deadline for how long this thread waits for sockets inside a library.
 *
 * civetweb bounds each single wait by request_timeout_ms, but not their sum: it loops until all
 * bytes that were asked for are there, so a client that sends one byte a second holds a thread for
 * as long as it likes, and its socket is out of reach for us. It is a shared library that calls
 * poll through the dynamic linker, so the program's own, which is the system's plus a look at the
 * clock, comes first. It also tells seats.h who waits.
 */
#ifndef PT_DEADLINE_H
#define PT_DEADLINE_H

#include <stdbool.h>

/* From now on, poll of this thread waits no longer than for `ms` in all; then it fails with
   ETIMEDOUT. */
void pt_deadline_start(int ms);
void pt_deadline_end(void);
bool pt_deadline_is_over(void);

#endif
