/* The gateway's FASTA: admin import, and panels. */
#include "fuzz.h"
#include "gateway/molecules/fasta.h"

static void check_record(const pt_fasta_record_t *record)
{
    CHECK(record->name[0] && !strpbrk(record->name, " \t\r\n\v\f"));
    CHECK(!strpbrk(record->sequence, " \t\r\n\v\f"));
    const pt_fasta_record_t *partner = record->partner;
    CHECK(!partner || (partner != record && partner->role != record->role &&
                       strcmp(partner->name, record->name) == 0));
    CHECK(!partner || (record->role != PT_FASTA_LONE && partner->role != PT_FASTA_LONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    pt_fasta_t fasta;
    uint8_t *text = take(&reader, &size);
    size_t length = 0;
    if (pt_fasta_read(&fasta, (char *)text, size) == NULL) {
        CHECK(fasta.count > 0);
        for (size_t i = 0; i < fasta.count; i++) {
            check_record(&fasta.records[i]);
            length += strlen(fasta.records[i].name) + strlen(fasta.records[i].sequence);
        }
        CHECK(length <= size);
    }
    pt_fasta_clear(&fasta);
    free(text);
    return 0;
}
