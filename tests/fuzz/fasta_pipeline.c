/* FASTA files of paratope-pipeline. */
#include "file.h"
#include "worker/pipelines/fasta.h"

static void check_antibody(const pt_antibody_t *antibody, void *context)
{
    size_t *seen = context;
    CHECK(antibody->count >= 1 && antibody->count <= PT_CHAINS_MAX);
    for (size_t i = 0; i < antibody->count; i++)
        CHECK(strcmp(antibody->records[i]->name, antibody->name) == 0 || antibody->count == 1);
    *seen += antibody->count;
}

static void check_fasta(const pt_fasta_t *fasta)
{
    for (size_t i = 0; i < fasta->count; i++) {
        const pt_record_t *record = &fasta->records[i];
        CHECK(record->name && record->label && strlen(record->sequence) <= record->length);
        CHECK(!strpbrk(record->sequence, " \t\r\n"));
    }
    for (int apart = 0; apart < 2; apart++) {
        size_t seen = 0;
        CHECK(pt_fasta_each(fasta, apart, check_antibody, &seen));
        CHECK(apart ? seen == fasta->count : seen <= fasta->count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pt_fasta_t fasta = {0};
    const char *why = NULL;
    int file = make_file(data, size);
    bool read = pt_fasta_read(path_of(file), &fasta, &why);
    CHECK(read || (why && why[0]));
    if (read)
        check_fasta(&fasta);
    pt_fasta_clear(&fasta);
    close(file);
    return 0;
}
