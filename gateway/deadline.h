/* A deadline for what this thread does with sockets inside a library.
 *
 * civetweb bounds each single read and write by request_timeout_ms, but not the whole: it loops
 * until all bytes that were asked for are there, so a client that sends one byte a second holds a
 * thread for as long as it likes, and its socket is out of reach for us. It is a shared library
 * that calls recv and send through the dynamic linker, so the program's own ones, which are the
 * system's plus a look at the clock, come first.
 */
#ifndef PT_DEADLINE_H
#define PT_DEADLINE_H

/* From now on, recv and send of this thread fail with ETIMEDOUT once `ms` have passed. */
void pt_deadline_start(int ms);
void pt_deadline_end(void);

#endif
