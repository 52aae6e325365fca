#include "gateway/inputs.h"

#include "proto/wire.h"

#include <jansson.h>
#include <string.h>

static void pack_text(msgpack_packer *to, const char *text)
{
    size_t size = strlen(text);
    msgpack_pack_str(to, size);
    msgpack_pack_str_body(to, text, size);
}

static void pack_pair(msgpack_packer *to, const char *key, const char *value)
{
    pack_text(to, key);
    pack_text(to, value ? value : "");
}

static void pack_chain(msgpack_packer *to, const json_t *chain)
{
    msgpack_pack_map(to, 2);
    pack_pair(to, "kind", json_string_value(json_object_get(chain, "kind")));
    pack_pair(to, "sequence", json_string_value(json_object_get(chain, "sequence")));
}

bool pt_inputs_pack(const pt_uuid_t *variant_id, const char *name, const char *format,
                    const char *chains, msgpack_sbuffer *out)
{
    json_t *list = json_loads(chains, 0, NULL);
    if (!json_is_array(list)) {
        json_decref(list);
        return false;
    }
    size_t before = out->size;
    msgpack_packer to;
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_map(&to, 4);
    pack_text(&to, "variant_id");
    msgpack_pack_bin(&to, PT_UUID_SIZE);
    msgpack_pack_bin_body(&to, variant_id->bytes, PT_UUID_SIZE);
    pack_pair(&to, "name", name);
    pack_pair(&to, "format", format);
    pack_text(&to, "chains");
    msgpack_pack_array(&to, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++)
        pack_chain(&to, json_array_get(list, i));
    json_decref(list);
    return out->size - before <= PT_PAYLOAD_MAX;
}
