#include "gateway/results/fasta.h"

#include <assert.h>
#include <string.h>

#define LINE 60 /* residues */

/* Where a type's results have sequences: in each item of a list, which they are or have under a
   key, told apart by `label`. */
static const struct {
    const char *job_type, *list, *label;
    struct {
        const char *key, *role;
    } sequences[2];
} types[] = {
    {"humanization", NULL, "strategy", {{"humanized_vh", "VH"}, {"humanized_vl", "VL"}}},
    {"codon_export", "chains", "chain", {{"dna", ""}}},
};
#define TYPES (sizeof types / sizeof *types)

static size_t place_of(const char *job_type)
{
    size_t i = 0;
    while (i < TYPES && strcmp(types[i].job_type, job_type) != 0)
        i++;
    return i;
}

bool pt_result_has_fasta(const char *job_type)
{
    return place_of(job_type) < TYPES;
}

const char *pt_result_list(const char *job_type)
{
    size_t type = place_of(job_type);
    return type < TYPES ? types[type].list : NULL;
}

/* Of nothing msgpack makes a copy to where there is no buffer yet. */
static void put(msgpack_sbuffer *to, const char *text, size_t size)
{
    int failed = size > 0 ? msgpack_sbuffer_write(to, text, size) : 0;
    assert(!failed);
}

static void put_text(msgpack_sbuffer *to, const char *text)
{
    put(to, text, strlen(text));
}

/* One word. */
static void put_word(msgpack_sbuffer *to, const char *text)
{
    for (; *text; text++)
        put(to, (unsigned char)*text > ' ' ? text : "_", 1);
}

static void put_record(msgpack_sbuffer *to, const char *name, const char *label, const char *role,
                       const char *job_id, const char *sequence)
{
    put_text(to, ">");
    put_word(to, name);
    put_text(to, ".");
    put_word(to, label);
    put_text(to, " ");
    put_text(to, role);
    put_text(to, *role ? " job=" : "job=");
    put_text(to, job_id);
    for (size_t left = strlen(sequence), size; left > 0; left -= size, sequence += size) {
        size = left < LINE ? left : LINE;
        put_text(to, "\n");
        put(to, sequence, size);
    }
    put_text(to, "\n");
}

/* NULL: none, or no such key. */
static const char *text_of(const json_t *item, const char *key)
{
    return key ? json_string_value(json_object_get(item, key)) : NULL;
}

void pt_result_fasta(const char *job_type, const char *name, const char *job_id,
                     const json_t *results, msgpack_sbuffer *to)
{
    size_t type = place_of(job_type);
    const json_t *list = results;
    if (type < TYPES && types[type].list)
        list = json_object_get(results, types[type].list);
    for (size_t i = 0; type < TYPES && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *label = json_string_value(json_object_get(item, types[type].label));
        const char *sequences[2];
        for (size_t k = 0; k < 2; k++)
            sequences[k] = text_of(item, types[type].sequences[k].key);
        bool pair = sequences[0] && sequences[1];
        for (size_t k = 0; k < 2; k++)
            if (sequences[k])
                put_record(to, name, label ? label : "", pair ? types[type].sequences[k].role : "",
                           job_id, sequences[k]);
    }
}
