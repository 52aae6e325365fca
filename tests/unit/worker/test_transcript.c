/* Standard error of an attempt: what is kept, where it stood, how it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "worker/transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(pt_transcript_t *self, const char *text)
{
    pt_transcript_add(self, text, strlen(text));
}

static void assert_piece(const pt_piece_t *piece, uint64_t offset, const char *text)
{
    assert_int_equal(piece->offset, offset);
    assert_int_equal(piece->size, strlen(text));
    assert_memory_equal(piece->text, text, piece->size);
}

static void a_piece_grows_and_is_said_again_when_it_has(void **state)
{
    pt_transcript_t self = {0};
    pt_piece_t piece;
    (void)state;
    assert_false(pt_transcript_next(&self, &piece));
    add(&self, "one\n");
    assert_true(pt_transcript_next(&self, &piece));
    assert_piece(&piece, 0, "one\n");
    assert_false(pt_transcript_has_unsaid(&self));
    assert_false(pt_transcript_next(&self, &piece));
    add(&self, "two\n");
    assert_true(pt_transcript_next(&self, &piece));
    assert_piece(&piece, 0, "one\ntwo\n");
    pt_transcript_clear(&self);
}

static void what_is_no_utf8_becomes_question_marks_of_the_same_length(void **state)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"gr\xc3\xbc\xc3\x9f\x65", "gr\xc3\xbc\xc3\x9f\x65"},
        {"a\xffz", "a?z"},
        {"\x80\xbf", "??"},
        {"\xc0\xaf.", "??."},                     /* overlong */
        {"\xed\xa0\x80.", "???."},                /* a surrogate */
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}, /* beyond the BMP */
        {"\xf5\x80\x80\x80", "????"},
        {"\xe2\x82"
         "x",
         "??x"},            /* broken off */
        {"\xe2\x82", "??"}, /* at the end */
        {"\xc3\xc3\xbc", "?\xc3\xbc"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            pt_transcript_t self = {0};
            pt_piece_t pieces[PT_TRANSCRIPT_PIECES];
            size_t size = strlen(cases[i].bytes);
            for (size_t at = 0; bytewise && at < size; at++)
                pt_transcript_add(&self, cases[i].bytes + at, 1);
            if (!bytewise)
                pt_transcript_add(&self, cases[i].bytes, size);
            assert_int_equal(pt_transcript_end(&self, pieces), 1);
            assert_piece(&pieces[0], 0, cases[i].text);
            pt_transcript_clear(&self);
        }
}

static void nul_becomes_a_question_mark(void **state)
{
    pt_transcript_t self = {0};
    pt_piece_t piece;
    (void)state;
    pt_transcript_add(&self, "a\0b", 3);
    assert_true(pt_transcript_next(&self, &piece));
    assert_piece(&piece, 0, "a?b");
    pt_transcript_clear(&self);
}

/* The byte at an offset of a text in which every place looks different. */
static char byte_at(uint64_t offset)
{
    return (char)('a' + (offset * 2654435761u >> 7) % 26);
}

static void add_bytes(pt_transcript_t *self, uint64_t from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        char byte = byte_at(from + i);
        pt_transcript_add(self, &byte, 1);
    }
}

/* Each piece is what stood there, they do not overlap, and none is too large; returns their bytes.
 */
static uint64_t assert_true_pieces(pt_transcript_t *self, uint64_t total, uint64_t *gap)
{
    pt_piece_t pieces[PT_TRANSCRIPT_PIECES];
    uint64_t at = 0, sum = 0;
    size_t count = pt_transcript_end(self, pieces);
    *gap = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(pieces[i].offset >= at && pieces[i].size > 0);
        assert_true(pieces[i].size <= PT_LOG_PIECE_MAX);
        *gap += pieces[i].offset - at;
        at = pieces[i].offset + pieces[i].size;
        sum += pieces[i].size;
        for (size_t j = 0; j < pieces[i].size; j++)
            assert_int_equal(pieces[i].text[j], byte_at(pieces[i].offset + j));
    }
    assert_int_equal(at, total);
    return sum;
}

static void first_48_and_last_16_kib_are_kept_with_their_offsets(void **state)
{
    static const uint64_t totals[] = {1,     8192,  8193,  49152,   49153,   65535,
                                      65536, 65537, 73727, 1000000, 1048576, 1064960};
    (void)state;
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        pt_transcript_t self = {0};
        uint64_t total = totals[i], gap;
        add_bytes(&self, 0, total);
        uint64_t sum = assert_true_pieces(&self, total, &gap);
        assert_int_equal(sum, total < PT_LOG_MAX ? total : PT_LOG_MAX);
        assert_int_equal(gap, total - sum);
        pt_transcript_clear(&self);
    }
}

static void pieces_end_between_characters(void **state)
{
    pt_transcript_t self = {0};
    pt_piece_t pieces[PT_TRANSCRIPT_PIECES];
    (void)state;
    add(&self, "x"); /* so that no bound of a power of two is one between characters */
    for (int i = 0; i < 100000; i++)
        add(&self, "\xe2\x82\xac");
    size_t count = pt_transcript_end(&self, pieces);
    assert_true(count >= 8);
    for (size_t i = 0; i < count; i++) {
        assert_true(pt_text_valid(pieces[i].text, pieces[i].size));
        assert_int_equal(pieces[i].size % 3, i == 0);
        assert_int_equal(pieces[i].offset % 3, i > 0);
    }
    pt_transcript_clear(&self);
}

static void live_the_head_is_said_piece_by_piece_and_the_tail_not(void **state)
{
    pt_transcript_t self = {0};
    pt_piece_t piece;
    uint64_t at = 0;
    (void)state;
    add_bytes(&self, 0, 200000);
    while (pt_transcript_next(&self, &piece)) {
        assert_int_equal(piece.offset, at);
        at += piece.size;
    }
    assert_int_equal(at, PT_TRANSCRIPT_HEAD);
    add_bytes(&self, 200000, 10);
    assert_false(pt_transcript_has_unsaid(&self));
    pt_transcript_clear(&self);
}

static void words_of_memory_are_found_at_the_end_only(void **state)
{
    pt_transcript_t self = {0};
    (void)state;
    assert_false(pt_transcript_tells_of_memory(&self));
    add(&self, "Traceback …\nMemoryError\n");
    assert_true(pt_transcript_tells_of_memory(&self));
    add_bytes(&self, 0, 4000);
    assert_false(pt_transcript_tells_of_memory(&self));
    add_bytes(&self, 0, 100000);
    add(&self, "terminate called after throwing an instance of 'std::bad_alloc'\n");
    assert_true(pt_transcript_tells_of_memory(&self));
    pt_transcript_clear(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_grows_and_is_said_again_when_it_has),
        cmocka_unit_test(what_is_no_utf8_becomes_question_marks_of_the_same_length),
        cmocka_unit_test(nul_becomes_a_question_mark),
        cmocka_unit_test(first_48_and_last_16_kib_are_kept_with_their_offsets),
        cmocka_unit_test(pieces_end_between_characters),
        cmocka_unit_test(live_the_head_is_said_piece_by_piece_and_the_tail_not),
        cmocka_unit_test(words_of_memory_are_found_at_the_end_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
