/* A large payload that comes in pieces: the window, what is asked again, what is wrong. */
#include "tests/unit/unit.h"

#include "proto/chunks.h"

#include <stdlib.h>

#define SIZE (6 * PT_CHUNK_MAX + 100) /* seven chunks, the last one short */

static uint8_t bytes[SIZE];

static void open_one(pt_chunks_t *self)
{
    uint8_t digest[PT_DIGEST_SIZE];
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    pt_digest(bytes, SIZE, digest);
    assert_true(pt_chunks_open(self, SIZE, digest, 1000));
}

/* The chunk at that offset as the wire has it. */
static pt_chunks_result_t give(pt_chunks_t *self, int64_t now, uint64_t offset, size_t size,
                               const uint8_t *from)
{
    msgpack_sbuffer payload;
    msgpack_packer to;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, size);
    msgpack_pack_bin_body(&to, from, size);
    pt_chunks_result_t result = pt_chunks_take(self, now, offset, payload.data, payload.size);
    msgpack_sbuffer_destroy(&payload);
    return result;
}

static pt_chunks_result_t give_right(pt_chunks_t *self, int64_t now, uint64_t offset)
{
    size_t left = SIZE - offset;
    return give(self, now, offset, left < PT_CHUNK_MAX ? left : PT_CHUNK_MAX, bytes + offset);
}

static void the_digest_is_sha_256(void **state)
{
    (void)state;
    static const uint8_t abc[PT_DIGEST_SIZE] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad}; /* FIPS 180-4's example */
    uint8_t digest[PT_DIGEST_SIZE];
    pt_digest("abc", 3, digest);
    assert_memory_equal(digest, abc, sizeof abc);
}

static void four_are_under_way_and_the_window_moves_on(void **state)
{
    (void)state;
    pt_chunks_t chunks;
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    open_one(&chunks);
    assert_int_equal(pt_chunks_ask(&chunks, 1000, offsets), 4);
    assert_int_equal(offsets[3], 3 * PT_CHUNK_MAX);
    assert_int_equal(pt_chunks_ask(&chunks, 1001, offsets), 0);
    give_right(&chunks, 1002, PT_CHUNK_MAX); /* out of order: its place is still taken */
    assert_int_equal(pt_chunks_ask(&chunks, 1002, offsets), 0);
    give_right(&chunks, 1003, 0);
    assert_int_equal(pt_chunks_ask(&chunks, 1003, offsets), 2);
    assert_int_equal(offsets[0], 4 * PT_CHUNK_MAX);
    assert_int_equal(offsets[1], 5 * PT_CHUNK_MAX);
    pt_chunks_close(&chunks);
}

static void all_of_it_is_whole(void **state)
{
    (void)state;
    pt_chunks_t chunks;
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    open_one(&chunks);
    size_t asked, given = 0;
    pt_chunks_result_t result = PT_CHUNKS_MORE;
    while ((asked = pt_chunks_ask(&chunks, 1000, offsets)) > 0)
        for (size_t i = asked; i-- > 0; given++) { /* backwards */
            assert_int_equal(result, PT_CHUNKS_MORE);
            result = give_right(&chunks, 1000, offsets[i]);
        }
    assert_int_equal(given, 7);
    assert_int_equal(result, PT_CHUNKS_WHOLE);
    assert_memory_equal(chunks.data, bytes, SIZE);
    assert_int_equal(pt_chunks_due(&chunks), INT64_MAX);
    pt_chunks_close(&chunks);
}

static void what_does_not_come_is_asked_again_after_three_intervals(void **state)
{
    (void)state;
    pt_chunks_t chunks;
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    open_one(&chunks);
    assert_true(pt_chunks_due(&chunks) <= 1000);
    pt_chunks_ask(&chunks, 1000, offsets);
    give_right(&chunks, 1500, PT_CHUNK_MAX);
    assert_int_equal(pt_chunks_due(&chunks), 4000);
    assert_int_equal(pt_chunks_ask(&chunks, 3999, offsets), 0);
    assert_int_equal(pt_chunks_ask(&chunks, 4000, offsets), 3); /* not the one that came */
    assert_int_equal(offsets[1], 2 * PT_CHUNK_MAX);
    pt_chunks_forget_asked(&chunks); /* its holder has moved to another broker */
    assert_int_equal(pt_chunks_ask(&chunks, 4001, offsets), 3);
    pt_chunks_close(&chunks);
}

static void what_nobody_waits_for_changes_nothing(void **state)
{
    (void)state;
    pt_chunks_t chunks;
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    open_one(&chunks);
    pt_chunks_ask(&chunks, 1000, offsets);
    give(&chunks, 1000, 0, PT_CHUNK_MAX - 1, bytes);            /* too short */
    give(&chunks, 1000, 1, PT_CHUNK_MAX, bytes);                /* no chunk begins there */
    give(&chunks, 1000, 4 * PT_CHUNK_MAX, PT_CHUNK_MAX, bytes); /* beyond the window */
    give(&chunks, 1000, SIZE, 100, bytes);                      /* beyond the end */
    give(&chunks, 1000, UINT64_C(1) << 62, PT_CHUNK_MAX, bytes);
    assert_int_equal(chunks.there, 0);
    assert_int_equal(chunks.heard, 1000);
    give_right(&chunks, 2000, 0);
    give(&chunks, 2000, 0, PT_CHUNK_MAX, bytes + 5); /* the same once more, and other bytes */
    assert_int_equal(chunks.there, PT_CHUNK_MAX);
    assert_memory_equal(chunks.data, bytes, PT_CHUNK_MAX);
    pt_chunks_close(&chunks);
}

static pt_chunks_result_t give_all(pt_chunks_t *chunks, bool damaged)
{
    uint64_t offsets[PT_CHUNKS_UNDER_WAY];
    pt_chunks_result_t result = PT_CHUNKS_MORE;
    size_t given = 0, asked;
    bytes[100] ^= damaged;
    while (given < 7 && (asked = pt_chunks_ask(chunks, 1000, offsets)) > 0)
        for (size_t i = 0; i < asked; i++, given++)
            result = give_right(chunks, 1000, offsets[i]);
    bytes[100] ^= damaged;
    assert_int_equal(given, 7);
    return result;
}

static void a_wrong_digest_is_given_one_more_chance(void **state)
{
    (void)state;
    pt_chunks_t chunks;
    open_one(&chunks);
    assert_int_equal(give_all(&chunks, true), PT_CHUNKS_MORE);
    assert_int_equal(give_all(&chunks, false), PT_CHUNKS_WHOLE);
    pt_chunks_close(&chunks);
    open_one(&chunks);
    assert_int_equal(give_all(&chunks, true), PT_CHUNKS_MORE);
    assert_int_equal(give_all(&chunks, true), PT_CHUNKS_WRONG);
    pt_chunks_close(&chunks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_sha_256),
        cmocka_unit_test(four_are_under_way_and_the_window_moves_on),
        cmocka_unit_test(all_of_it_is_whole),
        cmocka_unit_test(what_does_not_come_is_asked_again_after_three_intervals),
        cmocka_unit_test(what_nobody_waits_for_changes_nothing),
        cmocka_unit_test(a_wrong_digest_is_given_one_more_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
