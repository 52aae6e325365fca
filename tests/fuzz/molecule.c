/* Chains into numbered domains: what every pipeline begins with.
 * Bytes: chains, each a letter of its kind and its sequence, ended by a line end. */
#include "worker/pipelines/molecule.h"
#include "fuzz.h"

#define LENGTH_MAX 400 /* a longer one only takes longer */

static void check_part(const pt_part_t *part, const pt_chain_t *chains, size_t count)
{
    if (!part->there)
        return;
    CHECK(part->chain >= chains && part->chain < chains + count);
    CHECK(part->domain.start < part->domain.end && part->domain.end <= part->chain->length);
}

static size_t read_chains(reader_t *reader, pt_chain_t chains[PT_CHAINS_MAX], char **texts)
{
    size_t count = 0;
    while (reader->left > 0 && count < PT_CHAINS_MAX) {
        pt_chain_kind_t kind = (pt_chain_kind_t)below(reader, PT_KIND_SCFV + 1);
        const uint8_t *end = memchr(reader->at, '\n', reader->left);
        size_t size = end ? (size_t)(end - reader->at) : reader->left;
        texts[count] = (char *)take(reader, &size);
        chains[count] = (pt_chain_t){kind, texts[count], size < LENGTH_MAX ? size : LENGTH_MAX};
        next(reader);
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    char *texts[PT_CHAINS_MAX];
    pt_chain_t chains[PT_CHAINS_MAX];
    pt_molecule_t molecule;
    pt_error_t error = {0};
    bool lone_heavy = next(&reader) & 1;
    size_t count = read_chains(&reader, chains, texts);
    if (count > 0 && pt_molecule_read(chains, count, lone_heavy, &molecule, &error)) {
        CHECK(molecule.heavy.there || molecule.light.there);
        check_part(&molecule.heavy, chains, count);
        check_part(&molecule.light, chains, count);
    } else if (count > 0) {
        CHECK(error.code[0] && error.message[0]);
    }
    while (count > 0)
        free(texts[--count]);
    return 0;
}
