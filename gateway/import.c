#include "gateway/import.h"

#include "gateway/fasta.h"
#include "gateway/molecule.h"
#include "gateway/store_read.h"
#include "proto/program/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 67108864

static json_t *chain(const char *kind, const char *sequence)
{
    return json_pack("{s:s, s:s}", "kind", kind, "sequence", sequence);
}

/* The chains of the antibody that this record is, or begins; *format is a literal. */
static json_t *chains_of(const pt_fasta_t *fasta, const pt_fasta_record_t *record,
                         const char **format)
{
    const pt_fasta_record_t *partner = pt_fasta_partner(fasta, record);
    if (!partner) {
        const char *kind = pt_molecule_lone_kind(record->sequence);
        *format = strcmp(kind, "scfv") == 0 ? "scfv" : "nanobody";
        return json_pack("[o]", chain(kind, record->sequence));
    }
    bool heavy = record->role == PT_FASTA_VH;
    *format = "mab";
    return json_pack("[o, o]", chain("heavy", (heavy ? record : partner)->sequence),
                     chain("light", (heavy ? partner : record)->sequence));
}

/* Why it is no molecule, or NULL; `reason` has room for the text. */
static const char *fault_of(const char *name, json_t *chains, char *reason, size_t size)
{
    if (!chains)
        return "the record holds bytes that are no text";
    if (!pt_text_valid(name, strlen(name)) || strlen(name) > PT_MOLECULE_NAME_MAX)
        return "a name has at most 120 characters of UTF-8";
    json_t *errors = json_array();
    pt_molecule_check_sequences(chains, errors);
    const json_t *first = json_array_get(errors, 0);
    const char *message = json_string_value(json_object_get(first, "message"));
    const char *pointer = json_string_value(json_object_get(first, "pointer"));
    if (message)
        snprintf(reason, size, "%s chain: %s",
                 json_array_size(chains) == 1 ? "the"
                 : strstr(pointer, "/0/")     ? "heavy"
                                              : "light",
                 message);
    json_decref(errors);
    return message ? reason : NULL;
}

static json_t *failed(const char *name, const char *why)
{
    return json_pack("{s:s*, s:s*}", "name", pt_text_valid(name, strlen(name)) ? name : NULL,
                     "error", why);
}

static json_t *store(pt_pool_t *pool, const pt_uuid_t *org, const char *name, const char *format,
                     const char *chains)
{
    int64_t now = pt_wall_us();
    pt_candidate_t candidate = {*org, pt_uuid_new(now), pt_uuid_new(now), name, format, chains};
    char created_at[PT_TIME_TEXT], id[PT_UUID_TEXT], variant[PT_UUID_TEXT];
    if (pt_store_candidate(pool, &candidate, created_at) != PT_PG_OK)
        return failed(name, "the database did not take it");
    return json_pack("{s:s, s:s, s:s}", "name", name, "candidate_id",
                     pt_uuid_format(&candidate.candidate_id, id), "variant_id",
                     pt_uuid_format(&candidate.variant_id, variant));
}

static json_t *import_one(pt_pool_t *pool, const pt_uuid_t *org, const pt_fasta_t *fasta,
                          const pt_fasta_record_t *record)
{
    const char *format = NULL;
    char reason[600];
    json_t *chains = chains_of(fasta, record, &format);
    char *text = chains ? json_dumps(chains, JSON_COMPACT) : NULL; /* before the check adds to it */
    const char *why = fault_of(record->name, chains, reason, sizeof reason);
    json_t *line = why ? failed(record->name, why) : store(pool, org, record->name, format, text);
    free(text);
    json_decref(chains);
    return line;
}

/* The second half of a pair came with the first. */
static bool is_done(const pt_fasta_t *fasta, const pt_fasta_record_t *record)
{
    const pt_fasta_record_t *partner = pt_fasta_partner(fasta, record);
    return partner && partner < record && pt_fasta_partner(fasta, partner) == record;
}

static int import_all(pt_pool_t *pool, const pt_uuid_t *org, const pt_fasta_t *fasta, FILE *to)
{
    int status = 0;
    for (const pt_fasta_record_t *record = fasta->records; record < fasta->records + fasta->count;
         record++) {
        if (is_done(fasta, record))
            continue;
        json_t *line = import_one(pool, org, fasta, record);
        char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
        if (!line || json_object_get(line, "error"))
            status = 1;
        fprintf(to, "%s\n", text ? text : "{\"error\":\"out of memory\"}");
        free(text);
        json_decref(line);
    }
    return status;
}

/* NULL with errno. */
static char *read_file(const char *file, size_t *size)
{
    FILE *from = fopen(file, "rb");
    char *text = from ? malloc(FILE_MAX + 1) : NULL;
    int why = errno;
    if (text) {
        *size = fread(text, 1, FILE_MAX + 1, from);
        why = ferror(from) ? EIO : *size > FILE_MAX ? EFBIG : 0;
    }
    if (from)
        fclose(from);
    if (text && why) {
        free(text);
        text = NULL;
    }
    errno = why;
    return text;
}

int pt_import_variants(pt_pool_t *pool, const pt_uuid_t *org, const char *file, FILE *to)
{
    size_t size = 0;
    char *text = read_file(file, &size);
    if (!text) {
        fprintf(stderr, "%s: %s\n", file, strerror(errno));
        return 1;
    }
    pt_fasta_t fasta;
    const char *why = pt_fasta_read(&fasta, text, size);
    int status = why ? 1 : import_all(pool, org, &fasta, to);
    if (why)
        fprintf(stderr, "%s: %s\n", file, why);
    pt_fasta_clear(&fasta);
    free(text);
    return status;
}
