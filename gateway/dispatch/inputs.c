#include "gateway/dispatch/inputs.h"

#include "gateway/dispatch/transcode.h"
#include "proto/wire.h"

#include <jansson.h>
#include <string.h>

/* Room for the names of all that is left out: each takes less than 128 bytes. */
#define EARLIER_NAMES (PT_EARLIER_MAX * 128)

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
static const pt_inputs_fault_t bad_earlier = {
    "invalid_inputs", "an earlier job's results have what no pipeline can read: nested deeper than"
                      " 20, or a number that is too large"};
static const pt_inputs_fault_t too_large = {"inputs_too_large",
                                            "the job's inputs have more than 64 MiB"};

/* A key and the JSON that stands for it; NULL, or the fault, which is `bad` unless it is too long.
 */
static const pt_inputs_fault_t *pack_json(msgpack_packer *to, const char *key, const char *json,
                                          size_t most, const pt_inputs_fault_t *bad)
{
    pack_text(to, key);
    const char *why = pt_transcode(json, most, to->data);
    return !why ? NULL : why == pt_transcode_too_long ? &too_large : bad;
}

static void pack_which(msgpack_packer *to, const pt_earlier_t *earlier, size_t members)
{
    pack_text(to, earlier->job_type);
    msgpack_pack_map(to, members);
    pack_text(to, "job_id");
    msgpack_pack_bin(to, PT_UUID_SIZE);
    msgpack_pack_bin_body(to, earlier->job_id.bytes, PT_UUID_SIZE);
}

static const pt_inputs_fault_t *pack_whole(msgpack_packer *to, const pt_earlier_t *earlier,
                                           size_t most)
{
    pack_which(to, earlier, 3);
    const pt_inputs_fault_t *fault = pack_json(to, "results", earlier->results, most, &bad_earlier);
    return fault
               ? fault
               : pack_json(to, "files", earlier->files ? earlier->files : "{}", most, &bad_earlier);
}

/* What is too large to come along does not keep the job from being done: only its name comes, and
   that it was left out. */
static const pt_inputs_fault_t *pack_earlier(msgpack_packer *to, const pt_earlier_t *earlier,
                                             size_t most)
{
    msgpack_sbuffer *out = to->data;
    size_t before = out->size;
    const pt_inputs_fault_t *fault = pack_whole(to, earlier, most);
    if (fault != &too_large && (fault || out->size <= most))
        return fault;
    out->size = before;
    pack_which(to, earlier, 2);
    pack_text(to, "left_out");
    msgpack_pack_true(to);
    return NULL;
}

static const pt_inputs_fault_t *pack_all_earlier(msgpack_packer *to, const pt_inputs_t *inputs,
                                                 size_t most)
{
    const pt_inputs_fault_t *fault = NULL;
    pack_text(to, "earlier");
    msgpack_pack_map(to, inputs->earlier_count);
    most -= EARLIER_NAMES;
    for (size_t i = 0; !fault && i < inputs->earlier_count; i++)
        fault = pack_earlier(to, &inputs->earlier[i], most);
    return fault;
}

const pt_inputs_fault_t *pt_inputs_pack(const pt_inputs_t *inputs, msgpack_sbuffer *out)
{
    size_t before = out->size, most = before + PT_LARGE_MAX;
    const pt_inputs_fault_t *fault = NULL;
    msgpack_packer to;
    msgpack_packer_init(&to, out, msgpack_sbuffer_write);
    msgpack_pack_map(&to, 4u + (inputs->options != NULL) + (inputs->earlier_count > 0));
    pack_text(&to, "variant_id");
    msgpack_pack_bin(&to, PT_UUID_SIZE);
    msgpack_pack_bin_body(&to, inputs->variant_id.bytes, PT_UUID_SIZE);
    pack_pair(&to, "name", inputs->name);
    pack_pair(&to, "format", inputs->format);
    pack_text(&to, "chains");
    if (!pack_chains(&to, inputs->chains))
        return &malformed;
    if (inputs->options)
        fault = pack_json(&to, "options", inputs->options, most, &bad_options);
    if (!fault && inputs->earlier_count > 0)
        fault = pack_all_earlier(&to, inputs, most);
    if (fault)
        return fault;
    if (out->size - before > PT_LARGE_MAX)
        return &too_large;
    return pt_msgpack_valid(out->data + before, out->size - before) ? NULL : &bad_options;
}
