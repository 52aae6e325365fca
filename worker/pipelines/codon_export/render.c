#include "worker/pipelines/codon_export/render.h"
#include "worker/pipelines/render.h"
#include <string.h>

static json_t *residue_text(char residue)
{
    return json_stringn_nocheck(&residue, 1);
}

static json_t *codon_text(const char *dna)
{
    return json_stringn_nocheck(dna, 3);
}

/* Where the constraints moved the design away from what the strategy alone takes. */
static json_t *changes(const pt_coding_t *coding)
{
    if (!coding->unconstrained[0])
        return json_null();
    json_t *list = json_array();
    for (size_t r = 0; r < coding->length; r++) {
        const char *from = coding->unconstrained + 3 * r, *to = coding->dna + 3 * r;
        if (memcmp(from, to, 3) != 0)
            json_array_append_new(list,
                                  json_pack("{s:I, s:o, s:o, s:o}", "residue", (json_int_t)r + 1,
                                            "amino_acid", residue_text(coding->protein[r]), "from",
                                            codon_text(from), "to", codon_text(to)));
    }
    return list;
}

static json_t *codon_counts(const pt_coding_t *coding)
{
    json_int_t counts[PT_CODONS] = {0};
    for (size_t r = 0; r < coding->length; r++)
        counts[pt_codon_read(coding->dna + 3 * r)]++;
    json_t *map = json_object();
    for (unsigned c = 0; c < PT_CODONS; c++) {
        char text[4] = "";
        pt_codon_write(c, text);
        if (counts[c])
            json_object_set_new(map, text, json_integer(counts[c]));
    }
    return map;
}

/* --- constraints, each looked at again
 * ------------------------------------------------------------------------- */

/* How often the patterns of a name stand in a DNA. */
static size_t count_name(const pt_codon_options_t *o, const char *dna, const char *name)
{
    const pt_construct_t construct = {o->upstream, dna, o->downstream};
    size_t count = 0;
    for (size_t p = 0; p < o->pattern_count; p++)
        if (strcmp(o->patterns[p].name, name) == 0)
            count += pt_count_pattern(&construct, &o->patterns[p]);
    return count;
}

static json_t *motif_constraint(const pt_coding_t *coding, size_t p, bool *met)
{
    const pt_codon_options_t *o = coding->options;
    const char *name = o->patterns[p].name;
    size_t found = count_name(o, coding->dna, name);
    json_t *motifs = json_array(), *without = json_null();
    for (size_t q = p; q < o->pattern_count; q++)
        if (strcmp(o->patterns[q].name, name) == 0)
            json_array_append_new(motifs, json_string(o->patterns[q].letters));
    if (coding->unconstrained[0])
        without = json_integer((json_int_t)count_name(o, coding->unconstrained, name));
    *met &= found == 0;
    return json_pack("{s:s, s:o, s:I, s:o}", "constraint", name, "motifs", motifs, "found",
                     (json_int_t)found, "unconstrained", without);
}

static bool within(double value, double least, double most)
{
    return value >= least - 1e-9 && value <= most + 1e-9;
}

static json_t *gc_constraint(const pt_coding_t *coding, bool *met)
{
    const pt_codon_options_t *o = coding->options;
    double gc = pt_gc(coding->dna, 3 * coding->length);
    *met &= within(gc, o->gc_min, o->gc_max);
    return json_pack("{s:s, s:o, s:o, s:o}", "constraint", "gc", "least", pt_json_number(o->gc_min),
                     "most", pt_json_number(o->gc_max), "found", pt_json_number(gc));
}

/* Null for a sequence that is no longer than a window. */
static json_t *window_constraint(const pt_coding_t *coding, bool *met)
{
    const pt_codon_options_t *o = coding->options;
    json_t *found = json_null();
    if (o->window < 3 * coding->length) {
        pt_windows_t w = pt_count_windows(coding->dna, 3 * coding->length, o->window);
        *met &= within(w.least, o->window_min, 1) && within(w.most, 0, o->window_max);
        found = json_pack("{s:o, s:I, s:o, s:I}", "least", pt_json_number(w.least), "least_at",
                          (json_int_t)w.least_at + 1, "most", pt_json_number(w.most), "most_at",
                          (json_int_t)w.most_at + 1);
    }
    return json_pack("{s:s, s:I, s:o, s:o, s:o}", "constraint", "gc_window", "bases",
                     (json_int_t)o->window, "least", pt_json_number(o->window_min), "most",
                     pt_json_number(o->window_max), "found", found);
}

static json_t *constraints(const pt_coding_t *coding, bool *met)
{
    const pt_codon_options_t *o = coding->options;
    json_t *list = json_array();
    for (size_t p = 0; p < o->pattern_count; p++)
        if (p == 0 || strcmp(o->patterns[p - 1].name, o->patterns[p].name) != 0)
            json_array_append_new(list, motif_constraint(coding, p, met));
    json_array_append_new(list, gc_constraint(coding, met));
    if (o->window)
        json_array_append_new(list, window_constraint(coding, met));
    if (o->max_repeat) {
        size_t longest = pt_longest_repeat(coding->dna, 3 * coding->length);
        *met &= longest <= o->max_repeat;
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I}", "constraint", "repeat", "most",
                                        (json_int_t)o->max_repeat, "found", (json_int_t)longest));
    }
    return list;
}

json_t *pt_json_coding(const pt_coded_t *coded, bool *met)
{
    const pt_coding_t *coding = coded->coding;
    const pt_host_t *host = coding->options->host;
    size_t bases = 3 * coding->length;
    *met = pt_translates_to(coding->dna, coding->protein);
    json_t *unconstrained = json_null(), *checked = constraints(coding, met);
    if (coding->unconstrained[0])
        unconstrained =
            json_pack("{s:o, s:o}", "gc", pt_json_number(pt_gc(coding->unconstrained, bases)),
                      "cai", pt_json_number(pt_cai(host, coding->unconstrained, bases)));
    return json_pack("{s:s, s:s, s:I, s:s, s:I, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "chain",
                     coded->name, "protein", coding->protein, "residues_before",
                     (json_int_t)coding->before, "dna", coding->dna, "length", (json_int_t)bases,
                     "gc", pt_json_number(pt_gc(coding->dna, bases)), "cai",
                     pt_json_number(pt_cai(host, coding->dna, bases)), "exact", coding->exact,
                     "unconstrained", unconstrained, "constraints", checked, "changes",
                     changes(coding), "codon_counts", codon_counts(coding));
}

json_t *pt_json_conflict(const pt_coding_t *coding)
{
    const pt_conflict_t *conflict = &coding->conflict;
    json_t *names = json_array();
    for (size_t c = 0; c < conflict->count; c++)
        json_array_append_new(names, json_string(conflict->constraints[c]));
    return json_pack("{s:I, s:I, s:s#, s:o}", "first_residue", (json_int_t)conflict->from + 1,
                     "last_residue", (json_int_t)conflict->to, "residues",
                     coding->protein + conflict->from, conflict->to - conflict->from, "constraints",
                     names);
}

json_t *pt_json_codon_versions(const pt_codon_options_t *options)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "codon_export", PT_CODON_METHOD " " PT_CODON_VERSION,
                     "codon_usage", "Kazusa CUTG, all genes", "codon_usage_species",
                     options->host->species, "numbering",
                     "profile alignment " PT_NUMBERING_VERSION);
}
