#include "worker/pipelines/codon_export/options.h"
#include "worker/pipelines/choice.h"
#include "worker/pipelines/options.h"
#include <stdio.h>
#include <string.h>

const char *const pt_strategy_names[] = {"best", "harmonised", "sampled", NULL};

/* What was given, and the schema whose defaults fill the rest. */
typedef struct {
    const json_t *given, *properties;
} source_t;

static const json_t *value_of(const source_t *source, const char *key)
{
    const json_t *given = json_object_get(source->given, key);
    return given ? given : json_object_get(json_object_get(source->properties, key), "default");
}

static double number(const source_t *source, const char *key)
{
    return json_number_value(value_of(source, key));
}

static size_t whole(const source_t *source, const char *key)
{
    return (size_t)json_number_value(value_of(source, key));
}

static const char *text(const source_t *source, const char *key)
{
    return json_string_value(value_of(source, key));
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    const char *at = words;
    while ((at = strstr(at, word))) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0))
            return true;
        at += length;
    }
    return false;
}

static void add(pt_codon_options_t *options, const char *name, const char *letters, bool inside)
{
    pt_pattern_t *pattern = &options->patterns[options->pattern_count++];
    pt_pattern_read(name, letters, pattern);
    pattern->inside = inside;
}

/* On both strands; a palindrome is the same on both. */
static void add_both(pt_codon_options_t *options, const char *name, const char *letters)
{
    add(options, name, letters, false);
    const pt_pattern_t *forward = &options->patterns[options->pattern_count - 1];
    pt_pattern_t *reverse = &options->patterns[options->pattern_count];
    pt_pattern_reverse(forward, reverse);
    options->pattern_count += strcmp(forward->letters, reverse->letters) != 0;
}

static void add_signal(pt_codon_options_t *options, const char *name)
{
    for (size_t s = 0; s < pt_signal_count; s++)
        if (strcmp(pt_signals[s].name, name) == 0 &&
            !has_word(pt_signals[s].not_in, options->host->name))
            for (const char *const *letters = pt_signals[s].letters; *letters; letters++)
                add(options, name, *letters, true);
}

static void add_runs(pt_codon_options_t *options, size_t most)
{
    for (const char *base = "ACGT"; most && *base; base++) {
        char run[PT_PATTERN_MAX] = "", name[48];
        memset(run, *base, most + 1);
        snprintf(name, sizeof name, "run of more than %zu %c", most, *base);
        add(options, name, run, false);
    }
}

static void read_patterns(const source_t *source, pt_codon_options_t *options)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)value_of(source, "avoid_sites"), i, item)
    {
        const char *name = json_string_value(item);
        add_both(options, name, pt_enzyme_site(name));
    }
    json_array_foreach((json_t *)value_of(source, "avoid_motifs"), i, item)
        add_both(options, json_string_value(item), json_string_value(item));
    json_array_foreach((json_t *)value_of(source, "avoid"), i, item)
        add_signal(options, json_string_value(item));
    add_runs(options, whole(source, "max_homopolymer"));
}

static void read_formats(const source_t *source, pt_codon_options_t *options)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)value_of(source, "formats"), i, item)
    {
        const char *format = json_string_value(item);
        options->fasta |= strcmp(format, "fasta") == 0;
        options->csv |= strcmp(format, "csv") == 0;
        options->genbank |= strcmp(format, "genbank") == 0;
    }
}

static void read_values(const source_t *source, pt_codon_options_t *options)
{
    options->host = pt_host_find(text(source, "host"));
    while (strcmp(pt_strategy_names[options->strategy], text(source, "strategy")) != 0)
        options->strategy++;
    options->seed = whole(source, "seed");
    options->min_fraction = number(source, "min_fraction");
    options->gc_min = number(source, "gc_min");
    options->gc_max = number(source, "gc_max");
    options->window = whole(source, "gc_window");
    options->window_min = number(source, "gc_window_min");
    options->window_max = number(source, "gc_window_max");
    options->max_repeat = whole(source, "max_repeat");
    options->start = strcmp(text(source, "start_codon"), "if_missing") == 0;
    snprintf(options->signal_peptide, sizeof options->signal_peptide, "%s",
             text(source, "signal_peptide"));
    snprintf(options->stop, sizeof options->stop, "%s", text(source, "stop_codon"));
    snprintf(options->upstream, sizeof options->upstream, "%s", text(source, "upstream"));
    snprintf(options->downstream, sizeof options->downstream, "%s", text(source, "downstream"));
}

/* What a schema cannot say. */
static bool agree(const pt_codon_options_t *o, pt_error_t *error)
{
    if (o->gc_min > o->gc_max)
        return pt_choice_refuse(error, "/gc_min", "it is above gc_max");
    if (o->window && o->window_min > o->window_max)
        return pt_choice_refuse(error, "/gc_window_min", "it is above gc_window_max");
    if (o->max_repeat && o->max_repeat < PT_REPEAT_LEAST)
        return pt_choice_refuse(error, "/max_repeat", "it is 0, or %d at least", PT_REPEAT_LEAST);
    return true;
}

bool pt_codon_options_read(const json_t *given, pt_codon_options_t *options, pt_error_t *error)
{
    memset(options, 0, sizeof *options);
    json_t *schema = json_loads(pt_codon_export_options, 0, NULL), *empty = json_object();
    source_t source = {given ? given : empty, json_object_get(schema, "properties")};
    bool ok = schema && empty;
    if (!ok) {
        pt_error_set(error, "out_of_memory", "out of memory while the options were read");
        error->retry = true;
    } else {
        read_values(&source, options);
        read_patterns(&source, options);
        read_formats(&source, options);
        ok = agree(options, error);
    }
    json_decref(schema);
    json_decref(empty);
    return ok;
}
