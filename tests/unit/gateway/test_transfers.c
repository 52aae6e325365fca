/* Large results on their way to the recorder: turns, room, chunks, and what goes wrong. */
#include "tests/unit/unit.h"

#include "gateway/record/transfers.h"
#include "proto/chunks.h"

/* What was wanted, the latest. */
typedef struct {
    pt_transfers_t *transfers;
    struct {
        pt_ticket_t to;
        uint8_t job;
        uint64_t offset;
    } fetched[4096];
    size_t fetches;
    pt_fact_t done;
    size_t dones;
    bool full; /* nobody takes what is done */
} bench_t;

static void on_fetch(void *context, const pt_ticket_t *to, const pt_uuid_t *job_id,
                     uint32_t attempt, uint64_t offset)
{
    bench_t *bench = context;
    assert_int_equal(attempt, 1);
    assert_true(bench->fetches < 4096);
    bench->fetched[bench->fetches].to = *to;
    bench->fetched[bench->fetches].job = job_id->bytes[0];
    bench->fetched[bench->fetches++].offset = offset;
}

static bool on_done(void *context, pt_fact_t *fact)
{
    bench_t *bench = context;
    free(bench->done.payload);
    bench->done = *fact;
    bench->dones++;
    return !bench->full;
}

static void open_bench(bench_t *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->transfers = pt_transfers_new(&(pt_transfers_sink_t){bench, on_fetch, on_done});
}

static void close_bench(bench_t *bench)
{
    pt_transfers_destroy(&bench->transfers);
    free(bench->done.payload);
}

/* Every result is of zeros. */
static pt_fact_t ending(uint8_t job, size_t size, int link)
{
    pt_fact_t fact = {.said = {.said = PT_SAID_ENDING, .completed = true, .attempt = 1},
                      .from = {.link = link},
                      .size = size};
    fact.said.job_id.bytes[0] = job;
    void *zeros = calloc(1, size);
    assert_non_null(zeros);
    pt_digest(zeros, size, fact.digest);
    free(zeros);
    return fact;
}

static void offer(bench_t *bench, int64_t now, uint8_t job, size_t size, int link)
{
    pt_fact_t fact = ending(job, size, link);
    pt_transfers_offer(bench->transfers, now, &fact);
}

static void judge(bench_t *bench, int64_t now, uint8_t job, bool wanted)
{
    pt_fact_t fact;
    assert_true(pt_transfers_next(bench->transfers, &fact));
    assert_int_equal(fact.said.job_id.bytes[0], job);
    pt_transfers_judged(bench->transfers, now, &fact.said.job_id, 1, wanted);
}

static void begin(bench_t *bench, int64_t now, uint8_t job, size_t size, int link)
{
    offer(bench, now, job, size, link);
    judge(bench, now, job, true);
}

static void give(bench_t *bench, int64_t now, uint8_t job, uint64_t offset, size_t size, int byte)
{
    static uint8_t bytes[PT_CHUNK_MAX];
    msgpack_sbuffer payload;
    msgpack_packer to;
    pt_msg_t msg = {.attempt = 1, .offset = offset};
    msg.job_id.bytes[0] = job;
    memset(bytes, byte, sizeof bytes);
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, size);
    msgpack_pack_bin_body(&to, bytes, size);
    pt_transfers_chunk(bench->transfers, now, &msg, payload.data, payload.size);
    msgpack_sbuffer_destroy(&payload);
}

/* Answers whatever is asked from the n-th fetch on, until nothing more is. */
static void give_all(bench_t *bench, int64_t now, size_t size, int byte)
{
    for (size_t n = 0; n < bench->fetches; n++) {
        uint64_t offset = bench->fetched[n].offset, left = size - offset;
        give(bench, now, bench->fetched[n].job, offset, left < PT_CHUNK_MAX ? left : PT_CHUNK_MAX,
             byte);
    }
    bench->fetches = 0;
}

static void result_is_fetched_and_handed_over(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    begin(&bench, 0, 1, 300000, 2);
    assert_int_equal(bench.fetches, 4);
    assert_int_equal(bench.fetched[0].to.link, 2);
    give_all(&bench, 10, 300000, 0);
    assert_int_equal(bench.dones, 1);
    assert_int_equal(bench.done.payload_size, 300000);
    assert_int_equal(((uint8_t *)bench.done.payload)[299999], 0);
    assert_true(bench.done.said.completed);
    close_bench(&bench);
}

static void what_nobody_waits_for_is_not_fetched(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    offer(&bench, 0, 1, 300000, 0);
    judge(&bench, 0, 1, false);
    assert_int_equal(bench.fetches, 0);
    assert_int_equal(pt_transfers_counts(bench.transfers).running, 0);
    close_bench(&bench);
}

static void same_ending_starts_no_second_one(void **state)
{
    bench_t bench;
    pt_fact_t fact;
    (void)state;
    open_bench(&bench);
    offer(&bench, 0, 1, 300000, 0);
    offer(&bench, 0, 1, 300000, 0); /* while it waits */
    judge(&bench, 0, 1, true);
    offer(&bench, 1000, 1, 300000, 0); /* while it is fetched */
    assert_false(pt_transfers_next(bench.transfers, &fact));
    assert_int_equal(bench.fetches, 4);
    give_all(&bench, 1000, 300000, 0);
    offer(&bench, 2000, 1, 300000, 0); /* while it is recorded */
    assert_false(pt_transfers_next(bench.transfers, &fact));
    pt_transfers_forget(bench.transfers, &bench.done.said.job_id, 1);
    offer(&bench, 3000, 1, 300000, 0); /* and afterwards is looked up anew */
    assert_true(pt_transfers_next(bench.transfers, &fact));
    close_bench(&bench);
}

static void other_bytes_of_the_same_attempt_begin_anew(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    begin(&bench, 0, 1, 300000, 0);
    begin(&bench, 0, 1, 200000, 0);
    assert_int_equal(pt_transfers_counts(bench.transfers).bytes, 200000);
    close_bench(&bench);
}

static void worker_that_moved_is_asked_at_its_new_broker(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    begin(&bench, 0, 1, 300000, 0);
    give(&bench, 10, 1, 0, PT_CHUNK_MAX, 0);
    bench.fetches = 0;
    offer(&bench, 4000, 1, 300000, 1);
    assert_int_equal(bench.fetches, 4); /* all but the one that came, at once */
    assert_int_equal(bench.fetched[0].to.link, 1);
    assert_int_equal(bench.fetched[0].offset, PT_CHUNK_MAX);
    give_all(&bench, 4010, 300000, 0);
    assert_int_equal(bench.dones, 1);
    close_bench(&bench);
}

static void what_does_not_come_is_asked_again_and_then_given_up(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    begin(&bench, 0, 1, 300000, 0);
    assert_int_equal(pt_transfers_due(bench.transfers), 3000);
    pt_transfers_tick(bench.transfers, 2999);
    assert_int_equal(bench.fetches, 4);
    pt_transfers_tick(bench.transfers, 3000);
    assert_int_equal(bench.fetches, 8);
    pt_transfers_tick(bench.transfers, PT_TRANSFERS_IDLE_MS);
    assert_int_equal(pt_transfers_counts(bench.transfers).running, 0);
    assert_int_equal(pt_transfers_due(bench.transfers), INT64_MAX);
    close_bench(&bench);
}

static void no_more_than_two_of_the_largest_at_once(void **state)
{
    bench_t bench;
    pt_fact_t fact;
    (void)state;
    open_bench(&bench);
    begin(&bench, 0, 1, PT_LARGE_MAX, 0);
    begin(&bench, 0, 2, PT_LARGE_MAX, 0);
    offer(&bench, 0, 3, 100000, 0);
    assert_false(pt_transfers_next(bench.transfers, &fact));
    pt_uuid_t first = {{1}};
    pt_transfers_forget(bench.transfers, &first, 1); /* its worker has lost it */
    judge(&bench, 0, 3, true);
    close_bench(&bench);
}

static void room_is_free_when_it_is_recorded_and_not_before(void **state)
{
    bench_t bench;
    pt_fact_t fact;
    (void)state;
    open_bench(&bench);
    begin(&bench, 0, 1, 300000, 0);
    give_all(&bench, 0, 300000, 0);
    assert_int_equal(pt_transfers_counts(bench.transfers).bytes, 300000);
    pt_transfers_forget(bench.transfers, &bench.done.said.job_id, 1);
    assert_int_equal(pt_transfers_counts(bench.transfers).bytes, 0);
    bench.full = true;
    begin(&bench, 0, 2, 300000, 0);
    give_all(&bench, 0, 300000, 0);
    assert_int_equal(pt_transfers_counts(bench.transfers).bytes, 0);
    assert_false(pt_transfers_next(bench.transfers, &fact));
    close_bench(&bench);
}

static void waiting_ones_are_bounded_and_take_turns(void **state)
{
    bench_t bench;
    pt_fact_t fact = ending(0, 100000, 0);
    (void)state;
    open_bench(&bench);
    for (uint32_t i = 0; i < PT_TRANSFERS_WAITING + 100; i++) {
        memcpy(fact.said.job_id.bytes, &i, sizeof i);
        pt_transfers_offer(bench.transfers, 0, &fact);
    }
    assert_int_equal(pt_transfers_counts(bench.transfers).waiting, PT_TRANSFERS_WAITING);
    for (uint32_t i = 0, id; i < 10; i++) {
        assert_true(pt_transfers_next(bench.transfers, &fact));
        memcpy(&id, fact.said.job_id.bytes, sizeof id);
        assert_int_equal(id, i);
    }
    close_bench(&bench);
}

static void damaged_result_is_fetched_twice_and_then_lost(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    begin(&bench, 0, 1, 300000, 0);
    for (size_t n = 0; n < 5; n++)
        give(&bench, 0, 1, bench.fetched[n].offset,
             n < 4 ? PT_CHUNK_MAX : 300000 - 4 * PT_CHUNK_MAX, 7);
    assert_int_equal(bench.dones, 0);
    assert_int_equal(bench.fetches, 9); /* from the start */
    for (size_t n = 5; n < 10; n++)
        give(&bench, 0, 1, bench.fetched[n].offset,
             n < 9 ? PT_CHUNK_MAX : 300000 - 4 * PT_CHUNK_MAX, 7);
    assert_int_equal(bench.dones, 1);
    assert_int_equal(bench.done.said.said, PT_SAID_LOST);
    assert_true(bench.done.said.counts);
    assert_true(bench.done.said.unusable);
    assert_string_equal(bench.done.said.code, "result_damaged");
    assert_null(bench.done.payload);
    assert_int_equal(pt_transfers_counts(bench.transfers).running, 0);
    close_bench(&bench);
}

static void chunk_of_nothing_changes_nothing(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    give(&bench, 0, 9, 0, 100, 0);
    offer(&bench, 0, 1, 300000, 0);
    give(&bench, 0, 1, 0, PT_CHUNK_MAX, 0); /* before it was judged */
    judge(&bench, 0, 1, true);
    assert_int_equal(bench.fetched[0].offset, 0);
    pt_transfers_reset(bench.transfers);
    give(&bench, 0, 1, 0, PT_CHUNK_MAX, 0);
    assert_int_equal(bench.dones, 0);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_is_fetched_and_handed_over),
        cmocka_unit_test(what_nobody_waits_for_is_not_fetched),
        cmocka_unit_test(same_ending_starts_no_second_one),
        cmocka_unit_test(other_bytes_of_the_same_attempt_begin_anew),
        cmocka_unit_test(worker_that_moved_is_asked_at_its_new_broker),
        cmocka_unit_test(what_does_not_come_is_asked_again_and_then_given_up),
        cmocka_unit_test(no_more_than_two_of_the_largest_at_once),
        cmocka_unit_test(room_is_free_when_it_is_recorded_and_not_before),
        cmocka_unit_test(waiting_ones_are_bounded_and_take_turns),
        cmocka_unit_test(damaged_result_is_fetched_twice_and_then_lost),
        cmocka_unit_test(chunk_of_nothing_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
