#include "worker/pipelines/inputs.h"
#include "worker/pipelines/pack.h"
#include <string.h>

static const char code[] = "invalid_inputs";

bool pt_is_text(const msgpack_object *object, const char *text)
{
    return object && object->type == MSGPACK_OBJECT_STR && object->via.str.size == strlen(text) &&
           memcmp(object->via.str.ptr, text, strlen(text)) == 0;
}

const msgpack_object *pt_map_get(const msgpack_object *map, const char *key)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (pt_is_text(&map->via.map.ptr[i].key, key))
            return &map->via.map.ptr[i].val;
    return NULL;
}

static bool read_chain(const msgpack_object *object, size_t number, pt_chain_t *chain,
                       pt_error_t *error)
{
    const msgpack_object *kind = pt_map_get(object, "kind");
    const msgpack_object *sequence = pt_map_get(object, "sequence");
    if (!kind || kind->type != MSGPACK_OBJECT_STR ||
        !pt_chain_kind_parse(kind->via.str.ptr, kind->via.str.size, &chain->kind))
        return pt_error_set(error, code, "chain %zu: kind is not heavy, light, vhh or scfv",
                            number);
    if (!sequence || sequence->type != MSGPACK_OBJECT_STR)
        return pt_error_set(error, code, "chain %zu has no sequence", number);
    chain->sequence = sequence->via.str.ptr;
    chain->length = sequence->via.str.size;
    return true;
}

/* A map of the inputs as JSON; an empty object if there is none. */
static bool read_map(const msgpack_object *inputs, const char *key, const json_t **map,
                     pt_error_t *error)
{
    const msgpack_object *value = pt_map_get(inputs, key);
    *map = value ? pt_unpack_json(value) : json_object();
    return json_is_object(*map) || pt_error_set(error, code, "%s is no map of text to values", key);
}

void pt_inputs_clear(pt_inputs_t *inputs)
{
    json_decref((json_t *)inputs->options);
    json_decref((json_t *)inputs->earlier);
    memset(inputs, 0, sizeof *inputs);
}

bool pt_inputs_read(const msgpack_object *job, pt_inputs_t *inputs, pt_error_t *error)
{
    memset(inputs, 0, sizeof *inputs);
    const msgpack_object *map = pt_map_get(job, "inputs");
    const msgpack_object *chains = pt_map_get(map, "chains");
    const msgpack_object *format = pt_map_get(map, "format");
    if (!chains || chains->type != MSGPACK_OBJECT_ARRAY)
        return pt_error_set(error, code, "the job's inputs have no array of chains");
    if (chains->via.array.size == 0 || chains->via.array.size > PT_CHAINS_MAX)
        return pt_error_set(error, code, "the job has %u chains; 1 to %d can be",
                            chains->via.array.size, PT_CHAINS_MAX);
    const msgpack_object *name = pt_map_get(map, "name");
    if (name && name->type == MSGPACK_OBJECT_STR) {
        inputs->name = name->via.str.ptr;
        inputs->name_length = name->via.str.size;
    }
    inputs->chain_count = chains->via.array.size;
    inputs->lone_heavy = format && !pt_is_text(format, "mab");
    for (size_t c = 0; c < inputs->chain_count; c++)
        if (!read_chain(&chains->via.array.ptr[c], c + 1, &inputs->chains[c], error))
            return false;
    return read_map(map, "options", &inputs->options, error) &&
           read_map(map, "earlier", &inputs->earlier, error);
}
