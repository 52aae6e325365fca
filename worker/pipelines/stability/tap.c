#include "worker/pipelines/stability/tap.h"
#include "worker/pipelines/antibody/align.h"
#include "worker/pipelines/antibody/regions.h"
#include <string.h>

static const double SURFACE = 0.075; /* of the side chain's accessibility */
static const double NEAR_CDR = 4.0;  /* Å */
static const double PAIR = 7.5;      /* Å */

/* A residue of a domain that the model has. */
typedef struct {
    size_t domain, residue;
    size_t index; /* in the model */
    bool loop;    /* of an IMGT CDR or one of its anchors */
    bool surface, vicinity, bridged;
    double hydrophobicity; /* Kyte & Doolittle, from 1 (Arg) to 2 (Ile) */
    double charge;
} site_t;

typedef struct {
    const pt_model_t *model;
    size_t count;
    site_t sites[2 * PT_DOMAIN_MAX];
} fv_t;

const char *pt_state_name(pt_state_t state)
{
    static const char *const names[] = {"green", "amber", "red"};
    return names[state];
}

pt_state_t pt_tap_state(pt_tap_metric_t metric, double value)
{
    const pt_range_t *range = &pt_tap_ranges[metric];
    if (value < range->amber_low || value > range->amber_high)
        return PT_RED;
    return value < range->green_low || value > range->green_high ? PT_AMBER : PT_GREEN;
}

/* The two residues on each side of each CDR. */
static bool is_anchor(pt_position_t p)
{
    static const uint8_t anchors[] = {25, 26, 39, 40, 54, 55, 66, 67, 103, 104, 118, 119};
    return memchr(anchors, p.number, sizeof anchors);
}

static double hydrophobicity_of(char residue)
{
    return 1 + (pt_hydropathy[pt_amino_index(residue)] + 4.5) / 9;
}

static double charge_of(char residue)
{
    return strchr("KR", residue) ? 1 : strchr("DE", residue) ? -1 : residue == 'H' ? 0.1 : 0;
}

static void add_domain(fv_t *fv, const pt_domain_t *domain, size_t d)
{
    uint8_t cdr[PT_DOMAIN_MAX];
    pt_mark_cdrs(domain, PT_CDR_IMGT, cdr);
    for (size_t i = 0; i < domain->length; i++) {
        int index = fv->model->residue[d][i];
        if (index == PT_NOT_MODELLED)
            continue;
        fv->sites[fv->count++] =
            (site_t){.domain = d,
                     .residue = i,
                     .index = (size_t)index,
                     .loop = cdr[i] || is_anchor(domain->positions[i]),
                     .surface = fv->model->accessibility[index].side >= SURFACE,
                     .hydrophobicity = hydrophobicity_of(domain->residues[i]),
                     .charge = charge_of(domain->residues[i])};
    }
}

static void find_vicinity(fv_t *fv)
{
    for (size_t a = 0; a < fv->count; a++)
        fv->sites[a].vicinity = fv->sites[a].surface && fv->sites[a].loop;
    for (size_t a = 0; a < fv->count; a++)
        for (size_t b = 0; b < fv->count && fv->sites[a].surface && !fv->sites[a].vicinity; b++)
            if (fv->sites[b].surface && fv->sites[b].loop &&
                pt_residue_distance(&fv->model->pdb, fv->sites[a].index, fv->sites[b].index) <
                    NEAR_CDR)
                fv->sites[a].vicinity = true;
}

static bool are_bridged(const fv_t *fv, const site_t *a, const site_t *b)
{
    return a->surface && b->surface && !a->bridged && !b->bridged &&
           pt_is_salt_bridge(&fv->model->pdb, a->index, b->index);
}

/* What is in a salt bridge of the surface counts as glycine, without a charge; a residue is in one
   at most. */
static void neutralise(fv_t *fv, pt_tap_t *tap)
{
    for (size_t a = 0; a < fv->count; a++)
        for (size_t b = a + 1; b < fv->count; b++) {
            site_t *one = &fv->sites[a], *other = &fv->sites[b];
            if (!are_bridged(fv, one, other))
                continue;
            one->bridged = other->bridged = true;
            one->hydrophobicity = other->hydrophobicity = hydrophobicity_of('G');
            one->charge = other->charge = 0;
            if (tap->salt_bridge_count < PT_SALT_BRIDGES_MAX)
                tap->salt_bridges[tap->salt_bridge_count++] = (pt_salt_bridge_t){
                    {one->domain, other->domain}, {one->residue, other->residue}};
        }
}

/* The published sums go over ordered pairs: each pair counts twice. */
static void add_pair(const fv_t *fv, const site_t *a, const site_t *b, pt_tap_t *tap)
{
    double r = pt_residue_distance(&fv->model->pdb, a->index, b->index);
    if (r >= PAIR || r <= 0)
        return;
    double like = 2 * a->charge * b->charge / (r * r);
    tap->value[PT_TAP_PSH] += 2 * a->hydrophobicity * b->hydrophobicity / (r * r);
    if (like > 0)
        tap->value[a->charge > 0 ? PT_TAP_PPC : PT_TAP_PNC] += like;
}

static void sum_patches(const fv_t *fv, pt_tap_t *tap)
{
    for (size_t a = 0; a < fv->count; a++) {
        tap->vicinity += fv->sites[a].vicinity;
        for (size_t b = a + 1; b < fv->count; b++)
            if (fv->sites[a].vicinity && fv->sites[b].vicinity)
                add_pair(fv, &fv->sites[a], &fv->sites[b], tap);
    }
}

static double surface_charge(const fv_t *fv, size_t domain)
{
    double sum = 0;
    for (size_t a = 0; a < fv->count; a++)
        if (fv->sites[a].domain == domain && fv->sites[a].surface)
            sum += fv->sites[a].charge;
    return sum;
}

void pt_tap(const pt_domain_t *const domains[], size_t count, const pt_model_t *model,
            pt_tap_t *tap)
{
    fv_t fv = {.model = model};
    memset(tap, 0, sizeof *tap);
    for (size_t d = 0; d < count; d++)
        add_domain(&fv, domains[d], d);
    find_vicinity(&fv);
    neutralise(&fv, tap);
    sum_patches(&fv, tap);
    if (count == 2)
        tap->value[PT_TAP_SFVCSP] = surface_charge(&fv, 0) * surface_charge(&fv, 1);
}
