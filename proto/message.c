#include "proto/message.h"

#include "proto/message_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---------------------------------------------------------------------------- */

void pt_msg_init(pt_msg_t *self, pt_verb_t verb)
{
    memset(self, 0, sizeof *self);
    self->verb = verb;
}

void pt_msg_clear(pt_msg_t *self)
{
    free(self->leases.items);
    free(self->unsettled.items);
    free(self->jobs.items);
    memset(&self->leases, 0, sizeof self->leases);
    memset(&self->unsettled, 0, sizeof self->unsettled);
    memset(&self->jobs, 0, sizeof self->jobs);
}

void pt_msg_set(pt_msg_t *self, pt_field_t field)
{
    self->has |= (uint64_t)1 << field;
}

bool pt_msg_has(const pt_msg_t *self, pt_field_t field)
{
    return self->has >> field & 1;
}

void pt_msg_set_text(pt_msg_t *self, pt_field_t field, const char *text)
{
    assert(pt_field_rows[field].kind == TEXT || pt_field_rows[field].kind == JOB_TYPE);
    size_t size = strnlen(text, pt_field_rows[field].size - 1);
    while (size > 0 && !pt_text_valid(text, size))
        size--;
    char *to = pt_msg_member(self, &pt_field_rows[field]);
    memcpy(to, text, size);
    to[size] = 0;
    pt_msg_set(self, field);
}

void pt_msg_add_ref(pt_msg_t *self, pt_field_t field, const pt_uuid_t *job_id, uint32_t attempt,
                    const char *job_type)
{
    assert(pt_field_rows[field].kind == REFS);
    pt_refs_t *refs = pt_msg_member(self, &pt_field_rows[field]);
    if ((refs->count & (refs->count - 1)) == 0) { /* 0 and powers of two: time to grow */
        size_t room = refs->count ? refs->count * 2 : 1;
        pt_ref_t *items = realloc(refs->items, room * sizeof *items);
        if (!items)
            abort();
        refs->items = items;
    }
    pt_ref_t *ref = &refs->items[refs->count++];
    memset(ref, 0, sizeof *ref);
    ref->job_id = *job_id;
    ref->attempt = attempt;
    pt_job_type_copy(ref->job_type, job_type);
    pt_msg_set(self, field);
}

void pt_counts_set(pt_counts_t *self, const char *job_type, uint64_t n)
{
    size_t i = 0;
    while (i < self->count && strcmp(self->items[i].job_type, job_type) != 0)
        i++;
    if (i == PT_TYPES_MAX)
        return;
    if (i == self->count) {
        self->count++;
        memset(&self->items[i], 0, sizeof self->items[i]);
        pt_job_type_copy(self->items[i].job_type, job_type);
    }
    self->items[i].n = n;
}

uint64_t pt_counts_get(const pt_counts_t *self, const char *job_type)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i].job_type, job_type) == 0)
            return self->items[i].n;
    return 0;
}

/* ---- decoding ---------------------------------------------------------------------------- */

static bool read_uint(const msgpack_object *from, uint64_t limit, uint64_t *to)
{
    if (from->type != MSGPACK_OBJECT_POSITIVE_INTEGER || from->via.u64 > limit)
        return false;
    *to = from->via.u64;
    return true;
}

static bool read_uint32(const msgpack_object *from, uint32_t *to)
{
    uint64_t number;
    if (!read_uint(from, INT32_MAX, &number))
        return false;
    *to = (uint32_t)number;
    return true;
}

/* Until the year 9999, which PostgreSQL and ISO 8601 both can say. */
static bool read_time(const msgpack_object *from, int64_t *to)
{
    uint64_t number;
    if (!read_uint(from, 253402300799999999u, &number))
        return false;
    *to = (int64_t)number;
    return true;
}

static bool read_bool(const msgpack_object *from, bool *to)
{
    if (from->type != MSGPACK_OBJECT_BOOLEAN)
        return false;
    *to = from->via.boolean;
    return true;
}

static bool read_fraction(const msgpack_object *from, double *to)
{
    if ((from->type != MSGPACK_OBJECT_FLOAT64 && from->type != MSGPACK_OBJECT_FLOAT32) ||
        !(from->via.f64 >= 0 && from->via.f64 <= 1))
        return false;
    *to = from->via.f64;
    return true;
}

static bool read_text(const msgpack_object *from, char *to, size_t size)
{
    if (from->type != MSGPACK_OBJECT_STR || from->via.str.size >= size ||
        !pt_text_valid(from->via.str.ptr, from->via.str.size))
        return false;
    memcpy(to, from->via.str.ptr, from->via.str.size);
    to[from->via.str.size] = 0;
    return true;
}

static bool read_bytes(const msgpack_object *from, void *to, size_t size)
{
    if (from->type != MSGPACK_OBJECT_BIN || from->via.bin.size != size)
        return false;
    memcpy(to, from->via.bin.ptr, size);
    return true;
}

static bool read_job_type(const msgpack_object *from, char *to)
{
    return read_text(from, to, PT_TYPE_MAX) && pt_job_type_valid(to, strlen(to));
}

static bool read_counts(const msgpack_object *from, pt_counts_t *to)
{
    if (from->type != MSGPACK_OBJECT_MAP || from->via.map.size > PT_TYPES_MAX)
        return false;
    for (uint32_t i = 0; i < from->via.map.size; i++) {
        char job_type[PT_TYPE_MAX];
        uint64_t n;
        if (!read_job_type(&from->via.map.ptr[i].key, job_type) ||
            !read_uint(&from->via.map.ptr[i].val, INT64_MAX, &n))
            return false;
        pt_counts_set(to, job_type, n);
    }
    return true;
}

static bool read_ref(const msgpack_object *from, pt_ref_t *to)
{
    if (from->type != MSGPACK_OBJECT_ARRAY || from->via.array.size != 3)
        return false;
    const msgpack_object *part = from->via.array.ptr;
    return read_bytes(&part[0], to->job_id.bytes, PT_UUID_SIZE) &&
           read_uint32(&part[1], &to->attempt) && read_job_type(&part[2], to->job_type);
}

static bool read_refs(const msgpack_object *from, pt_refs_t *to)
{
    if (from->type != MSGPACK_OBJECT_ARRAY || from->via.array.size > PT_REFS_MAX)
        return false;
    to->items = calloc(from->via.array.size ? from->via.array.size : 1, sizeof *to->items);
    if (!to->items)
        return false;
    for (; to->count < from->via.array.size; to->count++)
        if (!read_ref(&from->via.array.ptr[to->count], &to->items[to->count]))
            return false;
    return true;
}

static bool read_field(const msgpack_object *from, pt_kind_t kind, void *to, size_t size)
{
    switch (kind) {
    case UINT32:
        return read_uint32(from, to);
    case UINT64:
        return read_uint(from, INT64_MAX, to);
    case PRIORITY:
        return read_uint(from, PT_PRIORITIES - 1, to);
    case WEIGHT:
        return read_uint(from, PT_WEIGHT_MAX, to) && *(uint64_t *)to > 0;
    case LARGE:
        return read_uint(from, PT_LARGE_MAX, to) && *(uint64_t *)to > PT_PAYLOAD_MAX;
    case TIME:
        return read_time(from, to);
    case BOOL:
        return read_bool(from, to);
    case FRACTION:
        return read_fraction(from, to);
    case TEXT:
        return read_text(from, to, size);
    case JOB_TYPE:
        return read_job_type(from, to);
    case BYTES:
        return read_bytes(from, to, size);
    case COUNTS:
        return read_counts(from, to);
    case REFS:
        return read_refs(from, to);
    }
    return false;
}

static bool is_text(const msgpack_object *object, const char *text)
{
    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == strlen(text) &&
           memcmp(object->via.str.ptr, text, object->via.str.size) == 0;
}

static int find_field(const msgpack_object *key)
{
    for (int i = 0; i < PT_FIELDS; i++)
        if (is_text(key, pt_field_rows[i].key))
            return i;
    return -1;
}

static const char *read_head(pt_msg_t *self, const msgpack_object_map *map)
{
    if (map->size < 2 || !is_text(&map->ptr[0].key, "v") || !is_text(&map->ptr[1].key, "m"))
        return "v and m do not come first";
    if (map->ptr[0].val.type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        map->ptr[0].val.via.u64 != PT_VERSION)
        return "another version of the protocol";
    for (int verb = 0; verb < PT_VERBS; verb++)
        if (is_text(&map->ptr[1].val, pt_verb_rows[verb].name)) {
            pt_msg_init(self, (pt_verb_t)verb);
            return NULL;
        }
    return "unknown verb";
}

static const char *read_map(pt_msg_t *self, const msgpack_object_map *map)
{
    const char *why = read_head(self, map);
    if (why)
        return why;
    const pt_verb_row_t *verb = &pt_verb_rows[self->verb];
    for (uint32_t i = 2; i < map->size; i++) {
        int f = find_field(&map->ptr[i].key);
        if (f < 0 || !((verb->must | verb->may) >> f & 1))
            continue;
        if (pt_msg_has(self, (pt_field_t)f))
            return "a field twice";
        pt_msg_set(self, (pt_field_t)f); /* first, so that a half-read list is cleared too */
        if (!read_field(&map->ptr[i].val, pt_field_rows[f].kind,
                        pt_msg_member(self, &pt_field_rows[f]), pt_field_rows[f].size))
            return "a field of the wrong kind";
    }
    return (self->has & verb->must) == verb->must ? NULL : "a field is missing";
}

const char *pt_msg_decode(pt_msg_t *self, const void *data, size_t size)
{
    /* Looked at first, because msgpack-c allocates what an array's head promises. */
    if (size > PT_FRAME_MAX || !pt_msgpack_valid(data, size))
        return "not one msgpack object";
    memset(self, 0, sizeof *self);
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    const char *why = "not a map";
    if (msgpack_unpack_next(&unpacked, data, size, NULL) == MSGPACK_UNPACK_SUCCESS &&
        unpacked.data.type == MSGPACK_OBJECT_MAP)
        why = read_map(self, &unpacked.data.via.map);
    msgpack_unpacked_destroy(&unpacked);
    if (why)
        pt_msg_clear(self);
    return why;
}

/* ---- encoding ---------------------------------------------------------------------------- */

static void pack_text(msgpack_packer *to, const char *text)
{
    size_t size = strlen(text);
    msgpack_pack_str(to, size);
    msgpack_pack_str_body(to, text, size);
}

static void pack_bytes(msgpack_packer *to, const void *data, size_t size)
{
    msgpack_pack_bin(to, size);
    msgpack_pack_bin_body(to, data, size);
}

static void pack_counts(msgpack_packer *to, const pt_counts_t *counts)
{
    msgpack_pack_map(to, counts->count);
    for (size_t i = 0; i < counts->count; i++) {
        pack_text(to, counts->items[i].job_type);
        msgpack_pack_uint64(to, counts->items[i].n);
    }
}

static void pack_refs(msgpack_packer *to, const pt_refs_t *refs)
{
    msgpack_pack_array(to, refs->count);
    for (size_t i = 0; i < refs->count; i++) {
        msgpack_pack_array(to, 3);
        pack_bytes(to, refs->items[i].job_id.bytes, PT_UUID_SIZE);
        msgpack_pack_uint32(to, refs->items[i].attempt);
        pack_text(to, refs->items[i].job_type);
    }
}

static void pack_field(msgpack_packer *to, const pt_msg_t *self, const pt_field_row_t *field)
{
    const void *from = pt_msg_member(self, field);
    pack_text(to, field->key);
    switch (field->kind) {
    case UINT32:
        msgpack_pack_uint32(to, *(const uint32_t *)from);
        break;
    case UINT64:
    case PRIORITY:
    case WEIGHT:
    case LARGE:
        msgpack_pack_uint64(to, *(const uint64_t *)from);
        break;
    case TIME:
        msgpack_pack_int64(to, *(const int64_t *)from);
        break;
    case BOOL:
        *(const bool *)from ? msgpack_pack_true(to) : msgpack_pack_false(to);
        break;
    case FRACTION:
        msgpack_pack_double(to, *(const double *)from);
        break;
    case TEXT:
    case JOB_TYPE:
        pack_text(to, from);
        break;
    case BYTES:
        pack_bytes(to, from, field->size);
        break;
    case COUNTS:
        pack_counts(to, from);
        break;
    case REFS:
        pack_refs(to, from);
        break;
    }
}

void pt_msg_encode(const pt_msg_t *self, msgpack_sbuffer *out)
{
    const pt_verb_row_t *verb = &pt_verb_rows[self->verb];
    uint64_t carried = self->has & (verb->must | verb->may);
    assert((carried & verb->must) == verb->must);
    msgpack_packer to;
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_map(&to, 2 + (size_t)__builtin_popcountll(carried));
    pack_text(&to, "v");
    msgpack_pack_uint64(&to, PT_VERSION);
    pack_text(&to, "m");
    pack_text(&to, verb->name);
    for (int i = 0; i < PT_FIELDS; i++)
        if (carried >> i & 1)
            pack_field(&to, self, &pt_field_rows[i]);
}
