/* The threads of a listener as seats. Each connection takes one, and when few are free, who has
 * waited longest for its client is asked to leave, so that a newcomer always finds one: a thousand
 * clients that send nothing cost others no time, only each other.
 *
 * A seat is its thread's own; the functions below `pt_seat_` act on the calling thread's.
 */
#ifndef PT_SEATS_H
#define PT_SEATS_H

#include <stdbool.h>
#include <stdint.h>

/* What a connection waits for. The first three cost a stranger nothing, so they end first. */
typedef enum {
    PT_SEAT_IDLE,    /* the next request */
    PT_SEAT_HEAD,    /* the rest of a head, or the first byte of a new connection */
    PT_SEAT_DISCARD, /* bytes that nobody wants */
    PT_SEAT_BODY,    /* the rest of a body, after its token was checked */
    PT_SEAT_ANSWER,  /* that the answer is taken */
    PT_SEAT_WORK     /* nothing: it is our turn, which is never ended */
} pt_seat_phase_t;

typedef struct pt_seats pt_seats_t;

pt_seats_t *pt_seats_new(int count);
void pt_seats_destroy(pt_seats_t **self);

int pt_seats_taken(pt_seats_t *self);

/* Ends every connection that waits for a request, for the sake of an end. */
void pt_seats_clear(pt_seats_t *self);

/* This thread serves a connection now, and waits for its first head; and no longer. */
void pt_seat_take(pt_seats_t *seats);
void pt_seat_leave(void);

/* A phase begins, which may wait for `ms` in all (0: without a bound), see deadline.h. */
void pt_seat_phase(pt_seat_phase_t phase, int ms);

/* Whether this thread's connection was asked to leave. */
bool pt_seat_was_ended(void);

/* For poll: this thread begins to wait for its client's socket, and has waited. */
void pt_seat_wait(int socket);
void pt_seat_waited(bool ready);

/* How long a head may take, and the pause before one. */
#define PT_HEAD_MS 5000
#define PT_IDLE_MS 2000

#endif
