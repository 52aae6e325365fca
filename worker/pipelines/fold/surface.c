#include "worker/pipelines/fold/surface.h"
#include "worker/pipelines/antibody/align.h"
#include "worker/pipelines/fold/tables.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

enum { POINTS = 96 };
static const double PROBE = 1.4, BRIDGE = 3.2; /* Å */

/* The atoms whose spheres cut that of the one looked at, squared radii beside them. */
typedef struct {
    size_t count;
    double (*at)[3];
    double *square;
} near_t;

static double radius_of(char element) /* Bondi 1964, Å, with the probe */
{
    double radius = element == 'C' ? 1.7 : element == 'N' ? 1.55 : element == 'O' ? 1.52 : 1.8;
    return radius + PROBE;
}

static double square_distance(const double a[3], const double b[3])
{
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return x * x + y * y + z * z;
}

/* A spiral by the golden angle: evenly spread, the same for every atom. */
static void make_sphere(double sphere[POINTS][3])
{
    for (int i = 0; i < POINTS; i++) {
        double z = (2.0 * i + 1) / POINTS - 1, ring = sqrt(1 - z * z), angle = 2.399963 * i;
        sphere[i][0] = cos(angle) * ring;
        sphere[i][1] = sin(angle) * ring;
        sphere[i][2] = z;
    }
}

static void find_near(const pt_pdb_t *pdb, size_t atom, near_t *near)
{
    double own = radius_of(pdb->atoms[atom].element);
    near->count = 0;
    for (size_t i = 0; i < pdb->atom_count; i++) {
        double radius = radius_of(pdb->atoms[i].element), reach = own + radius;
        if (i == atom || square_distance(pdb->atoms[i].at, pdb->atoms[atom].at) >= reach * reach)
            continue;
        memcpy(near->at[near->count], pdb->atoms[i].at, sizeof near->at[0]);
        near->square[near->count++] = radius * radius;
    }
}

/* `hider` is the neighbour that hid the point before: it mostly hides the next one too. */
static bool is_hidden(const double point[3], const near_t *near, size_t *hider)
{
    if (*hider < near->count && square_distance(point, near->at[*hider]) < near->square[*hider])
        return true;
    for (size_t i = 0; i < near->count; i++)
        if (square_distance(point, near->at[i]) < near->square[i]) {
            *hider = i;
            return true;
        }
    return false;
}

/* Å² */
static double free_area(const pt_atom_t *atom, const near_t *near, double sphere[POINTS][3])
{
    double radius = radius_of(atom->element);
    size_t hider = 0;
    int free_points = 0;
    for (int p = 0; p < POINTS; p++) {
        double point[3];
        for (int axis = 0; axis < 3; axis++)
            point[axis] = atom->at[axis] + radius * sphere[p][axis];
        free_points += !is_hidden(point, near, &hider);
    }
    return 4 * PI * radius * radius * free_points / POINTS;
}

static pt_accessibility_t residue_share(const pt_residue_t *residue, double whole, double side)
{
    const pt_largest_area_t *largest = &pt_largest_areas[pt_amino_index(residue->letter)];
    double of_side = residue->letter == 'G' ? whole : side;
    return (pt_accessibility_t){fmin(1, whole / largest->whole), fmin(1, of_side / largest->side)};
}

static void measure(const pt_pdb_t *pdb, near_t *near, pt_accessibility_t *found)
{
    double sphere[POINTS][3];
    make_sphere(sphere);
    for (size_t r = 0; r < pdb->residue_count; r++) {
        double whole = 0, side = 0;
        for (size_t i = pdb->residues[r].from; i < pdb->residues[r].to; i++) {
            find_near(pdb, i, near);
            double area = free_area(&pdb->atoms[i], near, sphere);
            whole += area;
            side += pdb->atoms[i].backbone ? 0 : area;
        }
        found[r] = residue_share(&pdb->residues[r], whole, side);
    }
}

bool pt_accessibility(const pt_pdb_t *pdb, pt_accessibility_t *found)
{
    near_t near = {.at = malloc(pdb->atom_count * sizeof near.at[0]),
                   .square = malloc(pdb->atom_count * sizeof near.square[0])};
    bool ok = near.at && near.square;
    if (ok)
        measure(pdb, &near, found);
    free(near.at);
    free(near.square);
    return ok;
}

double pt_residue_distance(const pt_pdb_t *pdb, size_t a, size_t b)
{
    const pt_residue_t *one = &pdb->residues[a], *other = &pdb->residues[b];
    double least = INFINITY;
    for (size_t i = one->from; i < one->to; i++)
        for (size_t j = other->from; j < other->to; j++)
            least = fmin(least, square_distance(pdb->atoms[i].at, pdb->atoms[j].at));
    return sqrt(least);
}

static bool is_charged_atom(char letter, const char *name)
{
    static const struct {
        char letter;
        const char *names;
    } charged[] = {{'K', " NZ "}, {'R', " NH1 NH2 "}, {'D', " OD1 OD2 "}, {'E', " OE1 OE2 "}};
    char word[8];
    snprintf(word, sizeof word, " %.4s ", name);
    for (size_t i = 0; i < sizeof charged / sizeof *charged; i++)
        if (charged[i].letter == letter)
            return strstr(charged[i].names, word) != NULL;
    return false;
}

bool pt_is_salt_bridge(const pt_pdb_t *pdb, size_t a, size_t b)
{
    const pt_residue_t *one = &pdb->residues[a], *other = &pdb->residues[b];
    bool basic = one->letter == 'K' || one->letter == 'R';
    if (!strchr(basic ? "DE" : "KR", other->letter) || (!basic && !strchr("DE", one->letter)))
        return false;
    for (size_t i = one->from; i < one->to; i++)
        for (size_t j = other->from; j < other->to; j++)
            if (is_charged_atom(one->letter, pdb->atoms[i].name) &&
                is_charged_atom(other->letter, pdb->atoms[j].name) &&
                square_distance(pdb->atoms[i].at, pdb->atoms[j].at) < BRIDGE * BRIDGE)
                return true;
    return false;
}
