#include "worker/pipelines/pack.h"
#include <stdio.h>
#include <string.h>

static int pack_text(msgpack_packer *packer, const char *text, size_t length)
{
    return msgpack_pack_str(packer, length) || msgpack_pack_str_body(packer, text, length);
}

int pt_pack_text(msgpack_packer *packer, const char *text)
{
    return pack_text(packer, text, strlen(text));
}

static int pack_array(msgpack_packer *packer, const json_t *array)
{
    size_t index;
    json_t *item;
    int failed = msgpack_pack_array(packer, json_array_size(array));
    json_array_foreach(array, index, item) failed = failed || pt_pack_json(packer, item);
    return failed;
}

static int pack_object(msgpack_packer *packer, const json_t *object)
{
    int failed = msgpack_pack_map(packer, json_object_size(object));
    for (void *i = json_object_iter((json_t *)object); i;
         i = json_object_iter_next((json_t *)object, i))
        failed = failed || pt_pack_text(packer, json_object_iter_key(i)) ||
                 pt_pack_json(packer, json_object_iter_value(i));
    return failed;
}

int pt_pack_json(msgpack_packer *packer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return pack_object(packer, value);
    case JSON_ARRAY:
        return pack_array(packer, value);
    case JSON_STRING:
        return pack_text(packer, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return msgpack_pack_int64(packer, json_integer_value(value));
    case JSON_REAL:
        return msgpack_pack_double(packer, json_real_value(value));
    case JSON_TRUE:
        return msgpack_pack_true(packer);
    case JSON_FALSE:
        return msgpack_pack_false(packer);
    case JSON_NULL:
        break;
    }
    return msgpack_pack_nil(packer);
}

/* --- back ------------------------------------------------------------------------------------- */

/* An earlier result has up to 20 levels (gateway/dispatch/transcode.h), and stands in two maps. */
enum { DEPTH_MAX = 24 };

static json_t *unpack(const msgpack_object *object, int depth);

/* An identifier becomes the text of a UUID; other bytes have no place in JSON. */
static json_t *unpack_bytes(const msgpack_object *object)
{
    if (object->via.bin.size != 16)
        return json_null();
    char text[37], *at = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += sprintf(at, "%02x", (unsigned char)object->via.bin.ptr[i]);
    }
    return json_string(text);
}

static json_t *unpack_array(const msgpack_object *object, int depth)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < object->via.array.size; i++)
        if (json_array_append_new(array, unpack(&object->via.array.ptr[i], depth)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *unpack_map(const msgpack_object *object, int depth)
{
    json_t *map = json_object();
    for (uint32_t i = 0; i < object->via.map.size; i++) {
        const msgpack_object *key = &object->via.map.ptr[i].key;
        json_t *value = unpack(&object->via.map.ptr[i].val, depth);
        if (key->type != MSGPACK_OBJECT_STR || !value ||
            json_object_setn_new(map, key->via.str.ptr, key->via.str.size, value) != 0) {
            if (key->type != MSGPACK_OBJECT_STR)
                json_decref(value);
            json_decref(map);
            return NULL;
        }
    }
    return map;
}

static json_t *unpack(const msgpack_object *object, int depth)
{
    if (depth > DEPTH_MAX)
        return NULL;
    switch (object->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(object->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return object->via.u64 <= INT64_MAX ? json_integer((json_int_t)object->via.u64)
                                            : json_real((double)object->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(object->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(object->via.f64);
    case MSGPACK_OBJECT_STR:
        return json_stringn(object->via.str.ptr, object->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return unpack_bytes(object);
    case MSGPACK_OBJECT_ARRAY:
        return unpack_array(object, depth + 1);
    case MSGPACK_OBJECT_MAP:
        return unpack_map(object, depth + 1);
    default:
        return json_null();
    }
}

json_t *pt_unpack_json(const msgpack_object *object)
{
    return unpack(object, 0);
}
