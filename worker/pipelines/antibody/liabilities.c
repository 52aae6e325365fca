#include "liabilities.h"
#include "regions.h"
#include "tables.h"
#include <string.h>

/* Does a letter belong to the class that begins at *motif, which is moved behind it? */
static bool match_class(const char **motif, char letter)
{
    const char *p = *motif + 1;
    bool negated = *p == '^';
    if (negated)
        p++;
    bool found = false;
    for (; *p && *p != ']'; p++)
        found |= *p == letter;
    *motif = *p ? p + 1 : p;
    return found != negated;
}

/* Length of the match of one alternative (up to '|' or the end) at `text`, 0 when there is none. */
static size_t match_alternative(const char *motif, const char *text, size_t left)
{
    size_t n = 0;
    while (*motif && *motif != '|') {
        if (n == left)
            return 0;
        if (*motif == '[') {
            if (!match_class(&motif, text[n]))
                return 0;
        } else if (*motif++ != text[n]) {
            return 0;
        }
        n++;
    }
    return n;
}

static size_t match_motif(const char *motif, const pt_domain_t *domain, size_t at)
{
    if (*motif == '^') {
        if (at > 0)
            return 0;
        motif++;
    }
    for (const char *alternative = motif; alternative;) {
        size_t n = match_alternative(alternative, domain->residues + at, domain->length - at);
        if (n)
            return n;
        alternative = strchr(alternative, '|');
        if (alternative)
            alternative++;
    }
    return 0;
}

typedef struct {
    const pt_domain_t *domain;
    uint8_t cdr[PT_DOMAIN_MAX];
} zones_t;

static bool in_zone(const zones_t *zones, size_t i, bool vernier)
{
    return zones->cdr[i] ||
           (vernier && pt_in_vernier_zone(zones->domain->chain, zones->domain->positions[i]));
}

/* A motif counts when any of its residues lies in the rule's region. */
static bool counts_here(const pt_liability_rule_t *rule, const zones_t *zones, size_t from,
                        size_t to)
{
    if (strncmp(rule->region, "cdr", 3) != 0)
        return true;
    bool vernier = strcmp(rule->region, "cdr+vernier") == 0;
    for (size_t i = from; i < to; i++)
        if (in_zone(zones, i, vernier))
            return true;
    return false;
}

static bool all_start_with(const pt_domain_t *const domains[], size_t count, char letter)
{
    for (size_t d = 0; d < count; d++)
        if (domains[d]->residues[0] != letter)
            return false;
    return count > 1;
}

/* The conditions that the table words. */
static bool condition_holds(const pt_liability_rule_t *rule, const pt_domain_t *const domains[],
                            size_t count, const pt_domain_t *domain, size_t at)
{
    pt_position_t p = domain->positions[at];
    if (strcmp(rule->condition, "not at IMGT 23 or 104") == 0)
        return p.letter || (p.number != 23 && p.number != 104);
    if (strcmp(rule->condition, "in both VH and VL") == 0)
        return all_start_with(domains, count, 'E');
    return true;
}

size_t pt_find_liabilities(const pt_domain_t *const domains[], size_t count, pt_liability_t *found,
                           size_t max)
{
    size_t n = 0;
    for (size_t d = 0; d < count; d++) {
        zones_t zones = {.domain = domains[d]};
        pt_mark_cdrs(domains[d], PT_CDR_UNION, zones.cdr);
        for (size_t r = 0; r < pt_liability_rule_count; r++) {
            const pt_liability_rule_t *rule = &pt_liability_rules[r];
            for (size_t i = 0; i < domains[d]->length && n < max; i++) {
                size_t length = match_motif(rule->motif, domains[d], i);
                if (length && counts_here(rule, &zones, i, i + length) &&
                    condition_holds(rule, domains, count, domains[d], i))
                    found[n++] = (pt_liability_t){
                        rule->name, rule->group, rule->severity, strcmp(rule->region, "fv") == 0,
                        (int)d,     i,           i + length};
            }
        }
    }
    return n;
}
