/* Who has to leave when few threads are free: each connection is a thread with one end of a pair.
 */
#include "gateway/http/deadline.h"
#include "gateway/http/seats.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    pt_seats_t *seats;
    pt_seat_phase_t phase;
    int ms;        /* for the phase */
    int pair[2];   /* ours, the client's */
    sem_t waiting; /* it will wait in a moment */
    int ready;     /* what poll said */
    bool ended;
    pid_t id; /* the thread's */
    pthread_t thread;
} guest_t;

static void *sit(void *arg)
{
    guest_t *self = arg;
    pt_seat_take(self->seats);
    pt_seat_phase(self->phase, self->ms);
    self->id = gettid();
    sem_post(&self->waiting);
    struct pollfd item = {.fd = self->pair[0], .events = POLLIN};
    self->ready = poll(&item, 1, 3000);
    self->ended = pt_seat_was_ended();
    pt_seat_leave();
    return NULL;
}

/* Or has ended already. */
static bool is_asleep(pid_t thread)
{
    char path[64], state = 'R';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    FILE *stat = fopen(path, "r");
    if (!stat)
        return true;
    assert_int_equal(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
    fclose(stat);
    return state == 'S';
}

static void come(guest_t *self, pt_seats_t *seats, pt_seat_phase_t phase, int ms)
{
    *self = (guest_t){.seats = seats, .phase = phase, .ms = ms};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, self->pair), 0);
    sem_init(&self->waiting, 0, 0);
    pthread_create(&self->thread, NULL, sit, self);
    sem_wait(&self->waiting);
    do { /* each is older than the next, and on a busy machine it may not wait yet */
        usleep(20000);
    } while (!is_asleep(self->id));
}

/* Whether it had to leave; if not, its client's end is closed. */
static bool had_to_leave(guest_t *self)
{
    close(self->pair[1]);
    pthread_join(self->thread, NULL);
    close(self->pair[0]);
    sem_destroy(&self->waiting);
    return self->ended;
}

/* Eight seats, of which one stays free. `phases` come in this order; returns who had to leave. */
static int who_leaves(const pt_seat_phase_t phases[8])
{
    guest_t guests[8];
    int who = -1, left = 0;
    pt_seats_t *seats = pt_seats_new(8);
    for (int i = 0; i < 8; i++)
        come(&guests[i], seats, phases[i], phases[i] == PT_SEAT_WORK ? 0 : 10000);
    for (int i = 0; i < 8; i++)
        if (had_to_leave(&guests[i])) {
            who = i;
            left++;
        }
    assert_int_equal(pt_seats_taken(seats), 0);
    assert_true(left <= 1);
    pt_seats_destroy(&seats);
    return who;
}

#define I PT_SEAT_IDLE
#define H PT_SEAT_HEAD
#define B PT_SEAT_BODY
#define A PT_SEAT_ANSWER
#define W PT_SEAT_WORK

static void the_longest_waiting_leaves_for_a_newcomer(void **state)
{
    (void)state;
    assert_int_equal(who_leaves((pt_seat_phase_t[]){H, H, H, H, H, H, H, H}), 0);
    assert_int_equal(who_leaves((pt_seat_phase_t[]){W, W, I, H, H, H, H, H}), 2);
}

static void strangers_leave_before_those_with_a_token(void **state)
{
    (void)state;
    assert_int_equal(who_leaves((pt_seat_phase_t[]){B, A, B, B, B, H, I, B}), 5);
    assert_int_equal(who_leaves((pt_seat_phase_t[]){W, A, B, B, B, B, B, B}), 1);
}

static void who_works_is_never_ended(void **state)
{
    (void)state;
    assert_int_equal(who_leaves((pt_seat_phase_t[]){W, W, W, W, W, W, W, W}), -1);
}

static void nobody_leaves_while_seats_are_free(void **state)
{
    (void)state;
    guest_t guests[7];
    pt_seats_t *seats = pt_seats_new(8);
    for (int i = 0; i < 7; i++)
        come(&guests[i], seats, I, 10000);
    assert_int_equal(pt_seats_taken(seats), 7);
    for (int i = 0; i < 7; i++)
        assert_false(had_to_leave(&guests[i]));
    pt_seats_destroy(&seats);
}

static void the_share_of_its_time_counts_not_the_time(void **state)
{
    (void)state;
    guest_t guests[8];
    pt_seats_t *seats = pt_seats_new(8);
    for (int i = 0; i < 8; i++)
        come(&guests[i], seats, H, i == 3 ? 5000 : 600000);
    for (int i = 0; i < 8; i++)
        assert_int_equal(had_to_leave(&guests[i]), i == 3);
    pt_seats_destroy(&seats);
}

static void a_phase_ends_in_its_time(void **state)
{
    (void)state;
    guest_t guest;
    pt_seats_t *seats = pt_seats_new(8);
    come(&guest, seats, H, 100);
    pthread_join(guest.thread, NULL);
    assert_int_equal(guest.ready, -1);
    assert_false(guest.ended);
    close(guest.pair[0]);
    close(guest.pair[1]);
    pt_seats_destroy(&seats);
}

static void an_end_clears_those_without_a_request(void **state)
{
    (void)state;
    guest_t idle, body;
    pt_seats_t *seats = pt_seats_new(8);
    come(&idle, seats, I, 10000);
    come(&body, seats, B, 10000);
    pt_seats_clear(seats);
    assert_true(had_to_leave(&idle));
    assert_false(had_to_leave(&body));
    pt_seats_destroy(&seats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_longest_waiting_leaves_for_a_newcomer),
                                       cmocka_unit_test(strangers_leave_before_those_with_a_token),
                                       cmocka_unit_test(who_works_is_never_ended),
                                       cmocka_unit_test(nobody_leaves_while_seats_are_free),
                                       cmocka_unit_test(the_share_of_its_time_counts_not_the_time),
                                       cmocka_unit_test(a_phase_ends_in_its_time),
                                       cmocka_unit_test(an_end_clears_those_without_a_request)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
