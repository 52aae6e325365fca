#include "worker/pipelines/pack.h"
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
