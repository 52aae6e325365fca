#include "gateway/admin/import.h"

#include "gateway/molecules/fasta_molecule.h"
#include "gateway/store/read.h"
#include "proto/program/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 67108864

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

static json_t *import_one(pt_pool_t *pool, const pt_uuid_t *org, const pt_fasta_record_t *record)
{
    pt_fasta_molecule_t molecule;
    if (!pt_fasta_molecule(record, &molecule))
        return failed(record->name, molecule.fault);
    json_t *line = store(pool, org, record->name, molecule.format, molecule.chains);
    free(molecule.chains);
    return line;
}

static int import_all(pt_pool_t *pool, const pt_uuid_t *org, const pt_fasta_t *fasta, FILE *to)
{
    int status = 0;
    for (const pt_fasta_record_t *record = fasta->records; record < fasta->records + fasta->count;
         record++) {
        if (pt_fasta_is_second(record))
            continue;
        json_t *line = import_one(pool, org, record);
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
