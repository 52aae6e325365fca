#include "gateway/dispatch/transcode.h"

#include "proto/wire.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char pt_transcode_too_long[] = "too long";

static const char no_json[] = "no JSON";
static const char bad_text[] = "text with a NUL or half a surrogate pair";

typedef struct {
    const char *at;
    msgpack_sbuffer *out;
    msgpack_packer to;
    size_t most;
    int depth;
    const char *why;
} reader_t;

static void pass_space(reader_t *self)
{
    self->at += strspn(self->at, " \t\n\r");
}

static bool take(reader_t *self, char c)
{
    pass_space(self);
    if (*self->at != c)
        return false;
    self->at++;
    return true;
}

static void fail(reader_t *self, const char *why)
{
    if (!self->why)
        self->why = why;
}

/* A head whose number is known only later: of the widest form. Returns where the number is. */
static size_t open_head(reader_t *self, uint8_t head)
{
    const char bytes[5] = {(char)head, 0, 0, 0, 0};
    msgpack_sbuffer_write(self->out, bytes, sizeof bytes);
    return self->out->size - 4;
}

static void close_head(reader_t *self, size_t at, size_t number)
{
    for (int i = 0; i < 4; i++)
        self->out->data[at + (size_t)i] = (char)(number >> (24 - 8 * i));
}

/* ---- text -------------------------------------------------------------------------------- */

static int take_hex(reader_t *self)
{
    int value = 0;
    for (int i = 0; i < 4; i++, self->at++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF", *digit = NULL;
        if (*self->at)
            digit = strchr(digits, *self->at);
        if (!digit)
            return -1;
        value = value << 4 | (int)((digit - digits) & 15);
    }
    return value;
}

/* What follows \u, both halves of a pair; 0 if it is nothing that text can have. */
static uint32_t take_escaped(reader_t *self)
{
    int high = take_hex(self);
    if (high < 0xd800 || high > 0xdfff)
        return high < 0 ? 0 : (uint32_t)high;
    if (high > 0xdbff || self->at[0] != '\\' || self->at[1] != 'u')
        return 0;
    self->at += 2;
    int low = take_hex(self);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    return 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
}

static void put_character(reader_t *self, uint32_t c)
{
    char bytes[4];
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(first[size] | c);
    msgpack_sbuffer_write(self->out, bytes, size);
}

/* What stands behind a backslash. */
static void take_escape(reader_t *self)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = *self->at;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        self->at++;
        put_character(self, (uint32_t)meanings[letter - letters]);
        return;
    }
    if (c != 'u') {
        fail(self, no_json);
        return;
    }
    self->at++;
    uint32_t character = take_escaped(self);
    if (character == 0)
        fail(self, bad_text);
    else
        put_character(self, character);
}

static void take_text(reader_t *self)
{
    size_t head = open_head(self, 0xdb), from = self->out->size;
    while (!self->why && *self->at && *self->at != '"') {
        size_t plain = strcspn(self->at, "\"\\");
        if (self->out->size + plain > self->most) {
            fail(self, pt_transcode_too_long);
            return;
        }
        msgpack_sbuffer_write(self->out, self->at, plain);
        self->at += plain;
        if (*self->at == '\\') {
            self->at++;
            take_escape(self);
        }
    }
    if (!take(self, '"'))
        fail(self, no_json);
    else if (!pt_text_valid(self->out->data + from, self->out->size - from))
        fail(self, bad_text);
    close_head(self, head, self->out->size - from);
}

/* ---- the other values -------------------------------------------------------------------- */

static void take_number(reader_t *self)
{
    size_t size = strspn(self->at, "+-.0123456789eE");
    bool whole = strspn(self->at, "-0123456789") == size;
    char *end;
    errno = 0;
    if (whole && *self->at == '-') {
        long long number = strtoll(self->at, &end, 10);
        if (errno == 0)
            msgpack_pack_long_long(&self->to, number);
    } else if (whole) {
        unsigned long long number = strtoull(self->at, &end, 10);
        if (errno == 0)
            msgpack_pack_unsigned_long_long(&self->to, number);
    }
    if (!whole || errno != 0) {
        double number = strtod(self->at, &end);
        if (!isfinite(number))
            fail(self, "a number that is too large");
        msgpack_pack_double(&self->to, number);
    }
    if (size == 0 || end != self->at + size)
        fail(self, no_json);
    self->at += size;
}

static void take_word(reader_t *self)
{
    if (strncmp(self->at, "null", 4) == 0)
        msgpack_pack_nil(&self->to);
    else if (strncmp(self->at, "true", 4) == 0)
        msgpack_pack_true(&self->to);
    else if (strncmp(self->at, "false", 5) == 0)
        msgpack_pack_false(&self->to);
    else
        fail(self, no_json);
    self->at += strspn(self->at, "abcdefghijklmnopqrstuvwxyz");
}

static void take_value(reader_t *self);

static void take_list(reader_t *self, char end, bool pairs)
{
    size_t head = open_head(self, pairs ? 0xdf : 0xdd), count = 0;
    if (++self->depth > PT_TRANSCODE_DEPTH_MAX)
        fail(self, "nested too deep");
    bool more = !self->why && !take(self, end);
    for (; more && !self->why; more = !self->why && take(self, ',')) {
        if (pairs) {
            if (take(self, '"'))
                take_text(self);
            else
                fail(self, no_json);
            if (!take(self, ':'))
                fail(self, no_json);
        }
        if (!self->why)
            take_value(self);
        count++;
    }
    if (count > 0 && !take(self, end))
        fail(self, no_json);
    self->depth--;
    close_head(self, head, count);
}

static void take_value(reader_t *self)
{
    if (self->out->size > self->most)
        fail(self, pt_transcode_too_long);
    else if (take(self, '{'))
        take_list(self, '}', true);
    else if (take(self, '['))
        take_list(self, ']', false);
    else if (take(self, '"'))
        take_text(self);
    else if (*self->at == '-' || (*self->at >= '0' && *self->at <= '9'))
        take_number(self);
    else
        take_word(self);
}

const char *pt_transcode(const char *text, size_t most, msgpack_sbuffer *out)
{
    reader_t self = {.at = text, .out = out, .most = most};
    msgpack_packer_init(&self.to, out, msgpack_sbuffer_write);
    take_value(&self);
    pass_space(&self);
    if (!self.why && *self.at)
        fail(&self, no_json);
    if (!self.why && out->size > most)
        fail(&self, pt_transcode_too_long);
    return self.why;
}
