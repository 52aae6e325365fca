/* The codec against proto/vectors/headers.jsonl, whose bytes another msgpack made. */
#include "tests/unit/unit.h"

#include "proto/message.h"

#include <jansson.h>

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned value;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
    return size;
}

/* The header as JSON, by a walk over its msgpack: what the vectors' "fields" are. */
static json_t *json_of(const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(object->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return json_integer((json_int_t)object->via.u64);
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(object->via.f64);
    case MSGPACK_OBJECT_STR:
        return json_stringn(object->via.str.ptr, object->via.str.size);
    case MSGPACK_OBJECT_BIN: {
        char text[80] = "hex:";
        for (uint32_t i = 0; i < object->via.bin.size; i++)
            sprintf(text + 4 + 2 * i, "%02x", (unsigned char)object->via.bin.ptr[i]);
        return json_string(text);
    }
    case MSGPACK_OBJECT_ARRAY: {
        json_t *array = json_array();
        for (uint32_t i = 0; i < object->via.array.size; i++)
            json_array_append_new(array, json_of(&object->via.array.ptr[i]));
        return array;
    }
    case MSGPACK_OBJECT_MAP: {
        json_t *map = json_object();
        for (uint32_t i = 0; i < object->via.map.size; i++) {
            char key[64] = "";
            memcpy(key, object->via.map.ptr[i].key.via.str.ptr,
                   object->via.map.ptr[i].key.via.str.size);
            json_object_set_new(map, key, json_of(&object->via.map.ptr[i].val));
        }
        return map;
    }
    default:
        fail();
        return NULL;
    }
}

static json_t *decode_to_json(const char *data, size_t size)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, data, size, NULL), MSGPACK_UNPACK_SUCCESS);
    json_t *json = json_of(&unpacked.data);
    msgpack_unpacked_destroy(&unpacked);
    return json;
}

/* What is read and written again must say what the vector says. */
static void check_valid(const char *name, const uint8_t *bytes, size_t size, const json_t *fields)
{
    pt_msg_t msg;
    const char *why = pt_msg_decode(&msg, bytes, size);
    if (why)
        fail_msg("%s: %s", name, why);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    pt_msg_encode(&msg, &out);
    json_t *again = decode_to_json(out.data, out.size);
    if (!json_equal(again, (json_t *)(uintptr_t)fields))
        fail_msg("%s: %s", name, json_dumps(again, 0));
    json_decref(again);
    msgpack_sbuffer_destroy(&out);
    pt_msg_clear(&msg);
}

static void vectors_are_read_and_written(void **state)
{
    (void)state;
    char path[512], *line = NULL;
    size_t room = 0;
    int valid = 0, invalid = 0;
    snprintf(path, sizeof path, "%s/proto/vectors/headers.jsonl", getenv("PT_SOURCE"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        json_t *vector = json_loads(line, 0, NULL);
        assert_non_null(vector);
        const char *name = json_string_value(json_object_get(vector, "name"));
        const char *hex = json_string_value(json_object_get(vector, "hex"));
        /* Exactly as large as the header, so that ASan sees a byte read too many. */
        uint8_t *bytes = malloc(strlen(hex) / 2 + (*hex == 0));
        size_t size = from_hex(hex, bytes);
        if (json_object_get(vector, "error")) {
            pt_msg_t msg;
            if (!pt_msg_decode(&msg, bytes, size))
                fail_msg("%s: was taken", name);
            invalid++;
        } else {
            check_valid(name, bytes, size, json_object_get(vector, "fields"));
            valid++;
        }
        free(bytes);
        json_decref(vector);
    }
    free(line);
    fclose(file);
    assert_true(valid > 20 && invalid > 30);
}

static uint32_t next(uint32_t *seed)
{
    return *seed = *seed * 1664525u + 1013904223u;
}

static void changed_bytes_never_crash(void **state)
{
    (void)state;
    pt_msg_t msg;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    pt_msg_init(&msg, PT_HAVE);
    pt_uuid_t id = pt_uuid_random();
    for (int i = 0; i < 20; i++)
        pt_msg_add_ref(&msg, PT_F_JOBS, &id, 1, "humanization");
    pt_msg_set(&msg, PT_F_SESSION);
    pt_msg_set(&msg, PT_F_ROUND);
    pt_msg_encode(&msg, &out);
    pt_msg_clear(&msg);
    uint32_t seed = 1;
    int refused = 0;
    for (int round = 0; round < 100000; round++) {
        uint8_t *copy = malloc(out.size);
        memcpy(copy, out.data, out.size);
        for (int n = 1 + (int)(next(&seed) >> 29); n > 0; n--)
            copy[(next(&seed) >> 8) % out.size] = (uint8_t)(next(&seed) >> 13);
        size_t size = (next(&seed) >> 30) ? out.size : (next(&seed) >> 8) % out.size;
        if (pt_msg_decode(&msg, copy, size))
            refused++;
        else
            pt_msg_clear(&msg);
        free(copy);
    }
    assert_true(refused > 1000 && refused < 100000);
    msgpack_sbuffer_destroy(&out);
}

static void text_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    pt_msg_t msg;
    char text[40] = "123456789012345é";
    pt_msg_init(&msg, PT_SETTLED);
    pt_msg_set_text(&msg, PT_F_OUTCOME, text);
    assert_string_equal(msg.outcome, "123456789012345");
    memcpy(text, "12345678901234é", 17);
    pt_msg_set_text(&msg, PT_F_OUTCOME, text);
    assert_string_equal(msg.outcome, "12345678901234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_read_and_written),
        cmocka_unit_test(changed_bytes_never_crash),
        cmocka_unit_test(text_is_cut_at_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
