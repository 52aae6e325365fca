#include "gateway/inputs.h"

#include "gateway/transcode.h"
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

static bool pack_chains(msgpack_packer *to, const char *chains)
{
    json_t *list = json_loads(chains, 0, NULL);
    bool ok = json_is_array(list);
    if (ok)
        msgpack_pack_array(to, json_array_size(list));
    for (size_t i = 0; ok && i < json_array_size(list); i++)
        pack_chain(to, json_array_get(list, i));
    json_decref(list);
    return ok;
}

/* What nobody could put there through the API. */
static const pt_inputs_fault_t malformed = {"invalid_inputs", "the job's variant is malformed"};
static const pt_inputs_fault_t bad_options = {
    "invalid_inputs", "the job's options have what no pipeline can read: nested deeper than 20, a"
                      " number that is too large, or text with a NUL or half a surrogate pair"};
static const pt_inputs_fault_t too_large = {"inputs_too_large",
                                            "the job's inputs have more than 64 MiB"};

const pt_inputs_fault_t *pt_inputs_pack(const pt_inputs_t *inputs, msgpack_sbuffer *out)
{
    size_t before = out->size;
    msgpack_packer to;
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_map(&to, inputs->options ? 5 : 4);
    pack_text(&to, "variant_id");
    msgpack_pack_bin(&to, PT_UUID_SIZE);
    msgpack_pack_bin_body(&to, inputs->variant_id.bytes, PT_UUID_SIZE);
    pack_pair(&to, "name", inputs->name);
    pack_pair(&to, "format", inputs->format);
    pack_text(&to, "chains");
    if (!pack_chains(&to, inputs->chains))
        return &malformed;
    if (inputs->options) {
        pack_text(&to, "options");
        const char *why = pt_transcode(inputs->options, before + PT_LARGE_MAX, out);
        if (why)
            return why == pt_transcode_too_long ? &too_large : &bad_options;
    }
    if (out->size - before > PT_LARGE_MAX)
        return &too_large;
    return pt_msgpack_valid(out->data + before, out->size - before) ? NULL : &bad_options;
}
