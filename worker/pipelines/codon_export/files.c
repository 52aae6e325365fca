/*
 *  The DNA as FASTA, CSV and GenBank. None has a date or anything else that the same inputs would
 * not give again.
 */
#include "worker/pipelines/codon_export/render.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FASTA_WIDTH = 60, GENBANK_BASES = 60, GENBANK_GROUP = 10, QUALIFIER_WIDTH = 58 };
enum { LOCUS_MAX = 16, TEXT_WIDTH = 67 };

void pt_codon_word(const char *name, size_t length, char word[PT_WORD_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < length && n + 1 < PT_WORD_MAX; i++) {
        unsigned char c = (unsigned char)name[i];
        bool good = c < 0x80 && c && (isalnum(c) || strchr("-._", c));
        if ((c & 0xC0) != 0x80) /* one for each character of UTF-8 */
            word[n++] = good ? (char)c : '_';
    }
    word[n] = 0;
}

/* "4D5_heavy"; of an antibody's longer name the two ends, where names that are alike differ. */
static const char *label(const pt_coded_t *coded, size_t most, char text[PT_WORD_MAX + 16])
{
    size_t length = strlen(coded->antibody), room = most - strlen(coded->name) - 1;
    size_t head = length <= room ? length : room / 2, tail = length <= room ? 0 : room - room / 2;
    snprintf(text, PT_WORD_MAX + 16, "%.*s%s%s%s", (int)head, coded->antibody,
             coded->antibody + length - tail, length ? "_" : "", coded->name);
    return text;
}

static void write_fasta(FILE *to, const pt_coded_t *coded)
{
    const pt_coding_t *coding = coded->coding;
    const pt_codon_options_t *o = coding->options;
    size_t bases = 3 * coding->length;
    char name[PT_WORD_MAX + 16];
    fprintf(to, ">%s %zu bp, codons for %s (%s)\n", label(coded, sizeof name - 1, name), bases,
            o->host->species, pt_strategy_names[o->strategy]);
    for (size_t at = 0; at < bases; at += FASTA_WIDTH)
        fprintf(to, "%.*s\n", FASTA_WIDTH, coding->dna + at);
}

static void write_csv(FILE *to, const pt_coded_t *coded)
{
    const pt_coding_t *coding = coded->coding;
    const pt_codon_options_t *o = coding->options;
    size_t bases = 3 * coding->length;
    fprintf(to, "%s,%s,%s,%s,%zu,%.4f,%.4f,%s,%s\n", coded->antibody, coded->name, o->host->name,
            pt_strategy_names[o->strategy], bases, pt_gc(coding->dna, bases),
            pt_cai(o->host, coding->dna, bases), coding->protein, coding->dna);
}

/* --- GenBank
 * ---------------------------------------------------------------------------------------------------
 */

/* A value in quotes, broken at the column where GenBank's lines end. */
static void qualifier(FILE *to, const char *key, const char *value, size_t length)
{
    size_t room = QUALIFIER_WIDTH - strlen(key) - 3;
    fprintf(to, "%21s/%s=\"", "", key);
    for (; length > room; room = QUALIFIER_WIDTH) {
        fprintf(to, "%.*s\n%21s", (int)room, value, "");
        value += room;
        length -= room;
    }
    fprintf(to, "%.*s\"\n", (int)length, value);
}

static void feature(FILE *to, const char *key, size_t first, size_t last)
{
    fprintf(to, "     %-16s%zu..%zu\n", key, first, last);
}

/* The variable domain, if it lies in this chain. */
static void variable(FILE *to, const pt_coded_t *coded, const pt_part_t *part)
{
    if (!part->there || part->chain != coded->chain)
        return;
    size_t before = coded->coding->before;
    feature(to, "V_region", 3 * (before + part->domain.start) + 1, 3 * (before + part->domain.end));
    const char *note =
        part == &coded->molecule->heavy ? "heavy variable domain" : "light variable domain";
    qualifier(to, "note", note, strlen(note));
}

static void features(FILE *to, const pt_coded_t *coded)
{
    const pt_coding_t *coding = coded->coding;
    bool ecoli = strcmp(coding->options->host->name, "ecoli") == 0;
    bool stop = coding->protein[coding->length - 1] == '*';
    size_t bases = 3 * coding->length;
    fputs("FEATURES             Location/Qualifiers\n", to);
    feature(to, "source", 1, bases);
    qualifier(to, "organism", "synthetic DNA construct", strlen("synthetic DNA construct"));
    qualifier(to, "mol_type", "other DNA", strlen("other DNA"));
    feature(to, "CDS", 1, bases);
    fprintf(to, "%21s/codon_start=1\n%21s/transl_table=%d\n", "", "", ecoli ? 11 : 1);
    qualifier(to, "product", coded->name, strlen(coded->name));
    qualifier(to, "translation", coding->protein, coding->length - stop);
    if (coding->options->signal_peptide[0])
        feature(to, "sig_peptide", 1, 3 * coding->before);
    variable(to, coded, &coded->molecule->heavy);
    variable(to, coded, &coded->molecule->light);
}

static void origin(FILE *to, const pt_coding_t *coding)
{
    size_t bases = 3 * coding->length;
    fputs("ORIGIN", to);
    for (size_t at = 0; at < bases; at++) {
        if (at % GENBANK_BASES == 0)
            fprintf(to, "\n%9zu", at + 1);
        if (at % GENBANK_GROUP == 0)
            fputc(' ', to);
        fputc(coding->dna[at] - 'A' + 'a', to);
    }
    fputs("\n//\n", to);
}

/* The antibody's name on lines of its own: none is longer than GenBank's may be. */
static void definition(FILE *to, const pt_coded_t *coded)
{
    const char *name = coded->antibody;
    fprintf(to, "DEFINITION  Synthetic gene of the %s chain for %s%s", coded->name,
            coded->coding->options->host->species, *name ? ", antibody" : "");
    for (size_t left = strlen(name); left > 0; left = strlen(name)) {
        size_t part = left < TEXT_WIDTH ? left : TEXT_WIDTH;
        fprintf(to, "\n%12s%.*s", "", (int)part, name);
        name += part;
    }
    fputs(".\n", to);
}

static void write_genbank(FILE *to, const pt_coded_t *coded)
{
    const pt_coding_t *coding = coded->coding;
    const pt_codon_options_t *o = coding->options;
    char text[PT_WORD_MAX + 16];
    const char *locus = label(coded, LOCUS_MAX, text);
    fprintf(to, "LOCUS       %-16s %11zu bp    DNA     linear   SYN 01-JAN-1980\n", locus,
            3 * coding->length);
    definition(to, coded);
    fprintf(to, "ACCESSION   %s\nVERSION     %s\nKEYWORDS    .\n", locus, locus);
    fputs("SOURCE      synthetic DNA construct\n  ORGANISM  synthetic DNA construct\n"
          "            other sequences; artificial sequences.\n",
          to);
    fprintf(to, "COMMENT     Made by " PT_CODON_METHOD " " PT_CODON_VERSION ", strategy %s.\n",
            pt_strategy_names[o->strategy]);
    features(to, coded);
    origin(to, coding);
}

/* --- files
 * -----------------------------------------------------------------------------------------------------
 */

static json_t *file_of(const char *media_type, const char *header, const pt_coded_t *coded,
                       size_t count, void (*one)(FILE *, const pt_coded_t *))
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fputs(header, to);
    for (size_t c = 0; c < count; c++)
        one(to, &coded[c]);
    bool written = fclose(to) == 0;
    json_t *file =
        written ? json_pack("{s:s, s:s#}", "media_type", media_type, "content", text, size) : NULL;
    free(text);
    return file;
}

json_t *pt_codon_files(const pt_codon_options_t *o, const pt_coded_t *coded, size_t count)
{
    json_t *files = json_object();
    bool ok = files != NULL;
    if (o->fasta)
        ok = ok && json_object_set_new(files, "genes.fasta",
                                       file_of("text/x-fasta", "", coded, count, write_fasta)) == 0;
    if (o->csv)
        ok = ok &&
             json_object_set_new(files, "genes.csv",
                                 file_of("text/csv",
                                         "antibody,chain,host,strategy,bases,gc,cai,protein,dna\n",
                                         coded, count, write_csv)) == 0;
    if (o->genbank)
        ok = ok && json_object_set_new(
                       files, "genes.gb",
                       file_of("chemical/x-genbank", "", coded, count, write_genbank)) == 0;
    if (ok)
        return files;
    json_decref(files);
    return NULL;
}
