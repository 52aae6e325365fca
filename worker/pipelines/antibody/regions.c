#include "regions.h"
#include "tables.h"
#include <string.h>

typedef struct {
    uint8_t first[3], last[3]; /* IMGT numbers */
} bounds_t;

static const bounds_t imgt = {{27, 56, 105}, {38, 65, 117}};

/*
 *  Kabat's bounds on IMGT numbers. Heavy CDR1 begins five residues behind IMGT's (after Kabat 26 to
 * 30), whose number depends on the loop's length: see kabat_heavy_cdr1.
 */
static const bounds_t kabat_heavy = {{27, 55, 107}, {40, 74, 117}};
static const bounds_t kabat_light = {{24, 56, 105}, {40, 69, 117}};
enum { KABAT_26_TO_30 = 5 };

const char *pt_cdr_definition_name(pt_cdr_definition_t definition)
{
    static const char *const names[] = {"imgt", "kabat", "kabat+imgt"};
    return names[definition];
}

static void mark(const pt_domain_t *domain, const bounds_t *bounds, uint8_t *cdr)
{
    for (size_t i = 0; i < domain->length; i++)
        for (int c = 0; c < 3; c++)
            if (domain->positions[i].number >= bounds->first[c] &&
                domain->positions[i].number <= bounds->last[c])
                cdr[i] = (uint8_t)(c + 1);
}

static void kabat_heavy_cdr1(const pt_domain_t *domain, uint8_t *cdr)
{
    int before = KABAT_26_TO_30;
    for (size_t i = 0; i < domain->length && before > 0; i++)
        if (domain->positions[i].number >= imgt.first[0] && cdr[i] == 1) {
            cdr[i] = 0;
            before--;
        }
}

void pt_mark_cdrs(const pt_domain_t *domain, pt_cdr_definition_t definition,
                  uint8_t cdr[PT_DOMAIN_MAX])
{
    memset(cdr, 0, PT_DOMAIN_MAX);
    if (definition != PT_CDR_IMGT) {
        mark(domain, pt_is_heavy(domain) ? &kabat_heavy : &kabat_light, cdr);
        if (pt_is_heavy(domain))
            kabat_heavy_cdr1(domain, cdr);
    }
    if (definition != PT_CDR_KABAT)
        mark(domain, &imgt, cdr);
}

bool pt_cdr_bounds(const pt_domain_t *domain, pt_cdr_definition_t definition, int cdr, size_t *from,
                   size_t *to)
{
    uint8_t marks[PT_DOMAIN_MAX];
    pt_mark_cdrs(domain, definition, marks);
    size_t i = 0;
    while (i < domain->length && marks[i] != cdr)
        i++;
    *from = i;
    while (i < domain->length && marks[i] == cdr)
        i++;
    *to = i;
    return *to > *from;
}

const char *pt_region_name(const pt_domain_t *domain, pt_cdr_definition_t definition,
                           size_t residue)
{
    static const char *const names[] = {"FR1", "CDR1", "FR2", "CDR2", "FR3", "CDR3", "FR4"};
    uint8_t marks[PT_DOMAIN_MAX];
    pt_mark_cdrs(domain, definition, marks);
    int last = 0; /* of the CDRs up to this residue */
    for (size_t i = 0; i <= residue; i++)
        if (marks[i])
            last = marks[i];
    if (marks[residue])
        return names[2 * last - 1];
    return names[2 * last];
}

bool pt_in_vernier_zone(char chain, pt_position_t position)
{
    const uint8_t *zone = pt_vernier[chain == 'H' ? 0 : 1];
    for (uint8_t i = 1; i <= zone[0]; i++)
        if (zone[i] == position.number && !position.letter)
            return true;
    return false;
}
