#include "gateway/http/seats.h"

#include "gateway/http/deadline.h"
#include "proto/program/process.h"

#include <pthread.h>
#include <sys/socket.h>

typedef struct {
    pt_seats_t *of; /* NULL: free */
    pt_seat_phase_t phase;
    int64_t since; /* pt_clock_ms of the phase's begin */
    int allowed;   /* ms for the whole phase */
    int socket;    /* -1 unless it waits */
    bool ended;    /* it was asked to leave */
} seat_t;

struct pt_seats {
    pthread_mutex_t lock;
    int count, keep_free, taken, leaving;
    seat_t seats[];
};

static _Thread_local seat_t *mine;

pt_seats_t *pt_seats_new(int count)
{
    pt_seats_t *self = zmalloc(sizeof *self + (size_t)count * sizeof *self->seats);
    pthread_mutex_init(&self->lock, NULL);
    self->count = count;
    self->keep_free = count < 8 ? 1 : count / 8;
    return self;
}

void pt_seats_destroy(pt_seats_t **self_p)
{
    if (!*self_p)
        return;
    pthread_mutex_destroy(&(*self_p)->lock);
    free(*self_p);
    *self_p = NULL;
}

int pt_seats_taken(pt_seats_t *self)
{
    pthread_mutex_lock(&self->lock);
    int taken = self->taken;
    pthread_mutex_unlock(&self->lock);
    return taken;
}

/* ---- who has to leave -------------------------------------------------------------------- */

static bool is_strangers(const seat_t *seat)
{
    return seat->phase <= PT_SEAT_DISCARD;
}

/* How much of its time it has used, in thousandths. */
static int64_t share(const seat_t *seat, int64_t now)
{
    return (now - seat->since) * 1000 / (seat->allowed > 0 ? seat->allowed : 1);
}

static bool goes_before(const seat_t *seat, const seat_t *other, int64_t now)
{
    if (is_strangers(seat) != is_strangers(other))
        return is_strangers(seat);
    return share(seat, now) > share(other, now);
}

/* Its thread wakes, reads the end of the stream and closes the connection. An answer (408 to a
   body) can still be sent, unless that is what it waits for. */
static void end(pt_seats_t *self, seat_t *seat)
{
    seat->ended = true;
    self->leaving++;
    shutdown(seat->socket, seat->phase == PT_SEAT_ANSWER ? SHUT_RDWR : SHUT_RD);
}

static bool can_end(const seat_t *seat)
{
    return seat->of && seat->socket >= 0 && !seat->ended;
}

static void make_room(pt_seats_t *self)
{
    if (self->taken - self->leaving <= self->count - self->keep_free)
        return;
    int64_t now = pt_clock_ms();
    seat_t *first = NULL;
    for (seat_t *seat = self->seats; seat < self->seats + self->count; seat++)
        if (can_end(seat) && (!first || goes_before(seat, first, now)))
            first = seat;
    if (first)
        end(self, first);
}

void pt_seats_clear(pt_seats_t *self)
{
    pthread_mutex_lock(&self->lock);
    for (seat_t *seat = self->seats; seat < self->seats + self->count; seat++)
        if (can_end(seat) && is_strangers(seat))
            end(self, seat);
    pthread_mutex_unlock(&self->lock);
}

/* ---- the calling thread's ---------------------------------------------------------------- */

static seat_t *find_free(pt_seats_t *self)
{
    for (seat_t *seat = self->seats; seat < self->seats + self->count; seat++)
        if (!seat->of)
            return seat;
    return NULL;
}

void pt_seat_take(pt_seats_t *seats)
{
    pthread_mutex_lock(&seats->lock);
    seat_t *seat = find_free(seats);
    assert(seat); /* as many as threads */
    *seat = (seat_t){.of = seats, .socket = -1};
    seats->taken++;
    make_room(seats);
    pthread_mutex_unlock(&seats->lock);
    mine = seat;
    pt_seat_phase(PT_SEAT_HEAD, PT_HEAD_MS);
}

void pt_seat_leave(void)
{
    pt_seats_t *seats = mine->of;
    pthread_mutex_lock(&seats->lock);
    seats->taken--;
    seats->leaving -= mine->ended;
    mine->of = NULL;
    pthread_mutex_unlock(&seats->lock);
    mine = NULL;
    pt_deadline_end();
}

/* Others look at a seat only while it waits, so this needs no lock. */
void pt_seat_phase(pt_seat_phase_t phase, int ms)
{
    if (ms > 0)
        pt_deadline_start(ms);
    else
        pt_deadline_end();
    if (!mine)
        return;
    mine->phase = phase;
    mine->allowed = ms;
    mine->since = pt_clock_ms();
}

bool pt_seat_was_ended(void)
{
    return mine && mine->ended; /* nobody writes it while we do not wait */
}

void pt_seat_wait(int socket)
{
    if (!mine || mine->phase == PT_SEAT_WORK)
        return;
    pthread_mutex_lock(&mine->of->lock);
    mine->socket = socket;
    make_room(mine->of);
    pthread_mutex_unlock(&mine->of->lock);
}

void pt_seat_waited(bool ready)
{
    if (!mine || mine->socket < 0)
        return;
    pthread_mutex_lock(&mine->of->lock);
    mine->socket = -1;
    pthread_mutex_unlock(&mine->of->lock);
    if (ready && mine->phase == PT_SEAT_IDLE)
        pt_seat_phase(PT_SEAT_HEAD, PT_HEAD_MS);
}
