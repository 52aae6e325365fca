#include "worker/said.h"

#include "proto/value.h"

#include <math.h>
#include <string.h>

/* Copies text, cut at `room` - 1 bytes and there at a whole character. */
static bool read_text(const pt_value_t *from, char *to, size_t room)
{
    size_t size = from->size;
    if (from->kind != PT_VALUE_TEXT || !pt_text_valid(from->bytes, size))
        return false;
    if (size >= room) {
        size = room - 1;
        while (((uint8_t)from->bytes[size] & 0xc0) == 0x80) /* the middle of a character */
            size--;
    }
    memcpy(to, from->bytes, size);
    to[size] = 0;
    return size > 0;
}

static bool read_fraction(const pt_value_t *from, double *to)
{
    if (from->kind != PT_VALUE_FLOAT && from->kind != PT_VALUE_UINT) /* many write 0 and 1 so */
        return false;
    *to = from->kind == PT_VALUE_FLOAT ? from->real : (double)from->number;
    return isfinite(*to) && *to >= 0 && *to <= 1;
}

static bool read_bool(const pt_value_t *from, bool *to)
{
    *to = from->yes;
    return from->kind == PT_VALUE_BOOL;
}

static bool read_code(const pt_value_t *from, char *to)
{
    if (!read_text(from, to, PT_NAME_MAX))
        return false;
    return strspn(to, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(to);
}

static bool read_versions(pt_span_t from)
{
    pt_value_t map = pt_value_next(&from);
    for (size_t i = 0; map.kind == PT_VALUE_MAP && i < 2 * map.size; i++) {
        pt_span_t whole = pt_value_whole(&from);
        pt_value_t text = pt_value_next(&whole);
        if (text.kind != PT_VALUE_TEXT || !pt_text_valid(text.bytes, text.size))
            return false;
    }
    return map.kind == PT_VALUE_MAP;
}

/* What was reached is of no use to anybody if it cannot be read; the error counts all the same. */
static bool read_partial(pt_said_t *self, pt_span_t whole)
{
    pt_span_t at = whole;
    self->partial_unfit = whole.size > PT_PARTIAL_MAX || pt_value_next(&at).kind != PT_VALUE_MAP;
    self->partial = self->partial_unfit ? NULL : whole.data;
    self->partial_size = self->partial ? whole.size : 0;
    return !self->partial_unfit;
}

/* The keys of the messages that a job has; `bit` remembers which were there. */
typedef enum {
    M = 1,
    STEP = 2,
    FRACTION = 4,
    RESULTS = 8,
    VERSIONS = 16,
    CODE = 32,
    MESSAGE = 64,
    RETRY = 128,
    FILES = 256,
    PARTIAL = 512
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
            {"retry", RETRY},
            {"files", FILES},
            {"partial", PARTIAL}};

static const struct {
    const char *word;
    unsigned must;
} kinds[] = {[PT_SAID_PROGRESS] = {"progress", M | STEP | FRACTION},
             [PT_SAID_RESULT] = {"result", M | RESULTS | VERSIONS},
             [PT_SAID_ERROR] = {"error", M | CODE | MESSAGE | RETRY},
             [PT_SAID_DECLARE] = {"declare", M}};

#define COUNT(TABLE) (sizeof(TABLE) / sizeof *(TABLE))

static bool read_kind(const pt_value_t *from, pt_said_kind_t *to)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (pt_value_is(from, kinds[i].word)) {
            *to = (pt_said_kind_t)i;
            return true;
        }
    return false;
}

static bool read_value(pt_said_t *self, said_key_t key, pt_span_t whole)
{
    pt_span_t at = whole;
    pt_value_t value = pt_value_next(&at);
    switch (key) {
    case M:
        return read_kind(&value, &self->kind);
    case STEP:
        return read_text(&value, self->step, sizeof self->step);
    case FRACTION:
        return read_fraction(&value, &self->fraction);
    case RESULTS:
        self->results = whole.data;
        self->results_size = whole.size;
        return true;
    case VERSIONS:
        self->versions = whole.data;
        self->versions_size = whole.size;
        return read_versions(whole);
    case CODE:
        return read_code(&value, self->code);
    case MESSAGE:
        return read_text(&value, self->message, sizeof self->message);
    case RETRY:
        return read_bool(&value, &self->retry);
    case FILES:
        self->files = whole.data;
        self->files_size = whole.size;
        return true;
    case PARTIAL:
        return read_partial(self, whole);
    }
    return false;
}

/* Which values are well-formed and there; a key that is unknown is passed over. Values that do not
   fit their key count as missing, unless the key has no meaning in this kind of message. */
static const char *read_pairs(pt_said_t *self, pt_span_t at, size_t pairs, unsigned *has)
{
    for (size_t i = 0; i < pairs; i++) {
        pt_span_t first = pt_value_whole(&at), value = pt_value_whole(&at);
        pt_value_t key = pt_value_next(&first);
        for (size_t k = 0; k < COUNT(keys); k++) {
            if (!pt_value_is(&key, keys[k].name))
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
        [PT_SAID_ERROR] = "an error without code ([a-z0-9_]+), message (text) and retry (bool)",
        [PT_SAID_DECLARE] = ""};
    pt_span_t at = {data, size};
    unsigned has = 0;
    memset(self, 0, sizeof *self);
    pt_value_t map = pt_value_next(&at);
    if (map.kind != PT_VALUE_MAP)
        return "a message that is no map";
    const char *why = read_pairs(self, at, map.size, &has);
    if (why)
        return why;
    if (!(has & M))
        return "a message whose m is not declare, progress, result or error";
    self->declared = data;
    self->declared_size = size;
    return (has & kinds[self->kind].must) == kinds[self->kind].must ? NULL : lacks[self->kind];
}

static void pack_text(msgpack_packer *to, const char *text)
{
    size_t size = strlen(text);
    msgpack_pack_str(to, size);
    msgpack_pack_str_body(to, text, size);
}

void pt_said_job(msgpack_sbuffer *out, const pt_uuid_t *job_id, const char *job_type,
                 uint32_t attempt, const void *inputs, size_t size)
{
    msgpack_packer to;
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_map(&to, 5);
    pack_text(&to, "m");
    pack_text(&to, "job");
    pack_text(&to, "job_id");
    msgpack_pack_bin(&to, PT_UUID_SIZE);
    msgpack_pack_bin_body(&to, job_id->bytes, PT_UUID_SIZE);
    pack_text(&to, "job_type");
    pack_text(&to, job_type);
    pack_text(&to, "attempt");
    msgpack_pack_uint32(&to, attempt);
    pack_text(&to, "inputs");
    msgpack_sbuffer_write(out, inputs, size);
}
