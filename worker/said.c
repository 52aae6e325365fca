#include "worker/said.h"

#include <math.h>
#include <string.h>

/* One object inside a message that is known to be well-formed. */
typedef struct {
    const uint8_t *data;
    size_t size;
} span_t;

static uint64_t big_endian(const uint8_t *at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | at[i];
    return value;
}

static bool is_text(span_t from, const char **text, size_t *size)
{
    uint8_t head = from.data[0];
    size_t width = head == 0xd9 ? 1 : head == 0xda ? 2 : head == 0xdb ? 4 : 0;
    if (width == 0 && (head & 0xe0) != 0xa0)
        return false;
    *text = (const char *)from.data + 1 + width;
    *size = from.size - 1 - width;
    return true;
}

static bool is_word(span_t from, const char *word)
{
    const char *text;
    size_t size;
    return is_text(from, &text, &size) && size == strlen(word) && memcmp(text, word, size) == 0;
}

/* Opens a map; returns how many pairs follow, or -1 if it is none. */
static int64_t open_map(span_t *at)
{
    uint8_t head = at->data[0];
    size_t width = head == 0xde ? 2 : head == 0xdf ? 4 : 0;
    if (width == 0 && (head & 0xf0) != 0x80)
        return -1;
    int64_t pairs = width ? (int64_t)big_endian(at->data + 1, width) : head & 15;
    at->data += 1 + width;
    at->size -= 1 + width;
    return pairs;
}

static span_t take(span_t *at)
{
    span_t object = {at->data, pt_msgpack_length(at->data, at->size)};
    at->data += object.size;
    at->size -= object.size;
    return object;
}

/* Copies text, cut at `room` - 1 bytes and there at a whole character. */
static bool read_text(span_t from, char *to, size_t room)
{
    const char *text;
    size_t size;
    if (!is_text(from, &text, &size) || !pt_text_valid(text, size))
        return false;
    if (size >= room) {
        size = room - 1;
        while (((uint8_t)text[size] & 0xc0) == 0x80) /* the middle of a character */
            size--;
    }
    memcpy(to, text, size);
    to[size] = 0;
    return size > 0;
}

static bool read_fraction(span_t from, double *to)
{
    if (from.data[0] <= 1) { /* 0 and 1, as many languages write them */
        *to = from.data[0];
    } else if (from.data[0] == 0xca) {
        uint32_t bits = (uint32_t)big_endian(from.data + 1, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        *to = (double)value;
    } else if (from.data[0] == 0xcb) {
        uint64_t bits = big_endian(from.data + 1, 8);
        memcpy(to, &bits, sizeof bits);
    } else {
        return false;
    }
    return isfinite(*to) && *to >= 0 && *to <= 1;
}

static bool read_bool(span_t from, bool *to)
{
    *to = from.data[0] == 0xc3;
    return from.data[0] == 0xc2 || from.data[0] == 0xc3;
}

static bool read_code(span_t from, char *to)
{
    if (!read_text(from, to, PT_NAME_MAX))
        return false;
    return strspn(to, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(to);
}

static bool read_versions(span_t from)
{
    int64_t pairs = open_map(&from);
    for (int64_t i = 0; i < 2 * pairs; i++) {
        const char *text;
        size_t size;
        if (!is_text(take(&from), &text, &size) || !pt_text_valid(text, size))
            return false;
    }
    return pairs >= 0;
}

/* The keys of all three messages; `bit` remembers which were there. */
typedef enum {
    M = 1,
    STEP = 2,
    FRACTION = 4,
    RESULTS = 8,
    VERSIONS = 16,
    CODE = 32,
    MESSAGE = 64,
    RETRY = 128
} said_key_t;

static const struct {
    const char *name;
    said_key_t bit;
} keys[] = {{"m", M},
            {"step", STEP},
            {"fraction", FRACTION},
            {"results", RESULTS},
            {"model_versions", VERSIONS},
            {"code", CODE},
            {"message", MESSAGE},
            {"retry", RETRY}};

static const struct {
    const char *word;
    unsigned must;
} kinds[] = {[PT_SAID_PROGRESS] = {"progress", M | STEP | FRACTION},
             [PT_SAID_RESULT] = {"result", M | RESULTS | VERSIONS},
             [PT_SAID_ERROR] = {"error", M | CODE | MESSAGE | RETRY}};

#define COUNT(TABLE) (sizeof(TABLE) / sizeof *(TABLE))

static bool read_kind(span_t from, pt_said_kind_t *to)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (is_word(from, kinds[i].word)) {
            *to = (pt_said_kind_t)i;
            return true;
        }
    return false;
}

static bool read_value(pt_said_t *self, said_key_t key, span_t value)
{
    switch (key) {
    case M:
        return read_kind(value, &self->kind);
    case STEP:
        return read_text(value, self->step, sizeof self->step);
    case FRACTION:
        return read_fraction(value, &self->fraction);
    case RESULTS:
        self->results = value.data;
        self->results_size = value.size;
        return true;
    case VERSIONS:
        self->versions = value.data;
        self->versions_size = value.size;
        return read_versions(value);
    case CODE:
        return read_code(value, self->code);
    case MESSAGE:
        return read_text(value, self->message, sizeof self->message);
    case RETRY:
        return read_bool(value, &self->retry);
    }
    return false;
}

/* Which values are well-formed and there; a key that is unknown is passed over. Values that do not
   fit their key count as missing, unless the key has no meaning in this kind of message. */
static const char *read_pairs(pt_said_t *self, span_t at, int64_t pairs, unsigned *has)
{
    for (int64_t i = 0; i < pairs; i++) {
        span_t key = take(&at), value = take(&at);
        for (size_t k = 0; k < COUNT(keys); k++) {
            if (!is_word(key, keys[k].name))
                continue;
            if (*has & keys[k].bit)
                return "a key twice";
            if (read_value(self, keys[k].bit, value))
                *has |= keys[k].bit;
        }
    }
    return NULL;
}

const char *pt_said_read(pt_said_t *self, const void *data, size_t size)
{
    static const char *const lacks[] = {
        [PT_SAID_PROGRESS] = "progress without a step (text) and a fraction (0 to 1)",
        [PT_SAID_RESULT] = "a result without results and model_versions (map of text to text)",
        [PT_SAID_ERROR] = "an error without code ([a-z0-9_]+), message (text) and retry (bool)"};
    span_t at = {data, size};
    unsigned has = 0;
    memset(self, 0, sizeof *self);
    int64_t pairs = open_map(&at);
    if (pairs < 0)
        return "a message that is no map";
    const char *why = read_pairs(self, at, pairs, &has);
    if (why)
        return why;
    if (!(has & M))
        return "a message whose m is not progress, result or error";
    return (has & kinds[self->kind].must) == kinds[self->kind].must ? NULL : lacks[self->kind];
}

static void pack_text(msgpack_packer *to, const char *text)
{
    size_t size = strlen(text);
    msgpack_pack_str(to, size);
    msgpack_pack_str_body(to, text, size);
}

void pt_said_job(msgpack_sbuffer *out, const pt_msg_t *job, const void *inputs, size_t size)
{
    msgpack_packer to;
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_map(&to, 5);
    pack_text(&to, "m");
    pack_text(&to, "job");
    pack_text(&to, "job_id");
    msgpack_pack_bin(&to, PT_UUID_SIZE);
    msgpack_pack_bin_body(&to, job->job_id.bytes, PT_UUID_SIZE);
    pack_text(&to, "job_type");
    pack_text(&to, job->job_type);
    pack_text(&to, "attempt");
    msgpack_pack_uint32(&to, job->attempt);
    pack_text(&to, "inputs");
    msgpack_sbuffer_write(out, inputs, size);
}
