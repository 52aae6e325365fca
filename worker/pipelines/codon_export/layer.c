#include "worker/pipelines/codon_export/layer.h"
#include <stdlib.h>
#include <string.h>

enum { TABLE_BEGIN = 1024 };
#define EMPTY UINT32_MAX

static uint64_t hash(const pt_state_t *state, size_t slots)
{
    uint64_t h = state->matcher * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t s = 0; s < slots; s++)
        h = ((h ^ state->gc[s]) + (h >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

static bool same(const pt_state_t *a, const pt_state_t *b, size_t slots)
{
    return a->matcher == b->matcher && memcmp(a->gc, b->gc, slots * sizeof *a->gc) == 0;
}

static size_t place(const pt_layer_t *layer, const pt_state_t *state)
{
    size_t at = hash(state, layer->slots) & (layer->table_size - 1);
    while (layer->table[at] != EMPTY &&
           !same(&layer->states[layer->table[at]], state, layer->slots))
        at = (at + 1) & (layer->table_size - 1);
    return at;
}

static bool grow(pt_layer_t *layer, size_t room)
{
    void *states = realloc(layer->states, room * sizeof *layer->states);
    layer->states = states ? states : layer->states;
    void *values = realloc(layer->values, room * sizeof *layer->values);
    layer->values = values ? values : layer->values;
    void *steps = realloc(layer->steps, room * sizeof *layer->steps);
    layer->steps = steps ? steps : layer->steps;
    uint32_t *table = malloc(2 * room * sizeof *table);
    if (!states || !values || !steps || !table) {
        free(table);
        return false;
    }
    free(layer->table);
    layer->table = table;
    layer->table_size = 2 * room;
    layer->room = room;
    memset(table, 0xff, 2 * room * sizeof *table);
    for (uint32_t s = 0; s < layer->count; s++)
        table[place(layer, &layer->states[s])] = s;
    return true;
}

bool pt_layer_make(pt_layer_t *layer)
{
    return grow(layer, TABLE_BEGIN / 2);
}

void pt_layer_clear(pt_layer_t *layer)
{
    free(layer->states);
    free(layer->values);
    free(layer->steps);
    free(layer->table);
}

void pt_layer_empty(pt_layer_t *layer, size_t slots)
{
    layer->count = 0;
    layer->slots = slots;
    memset(layer->table, 0xff, layer->table_size * sizeof *layer->table);
}

bool pt_layer_put(pt_layer_t *layer, const pt_state_t *state, size_t *at)
{
    size_t found = place(layer, state);
    layer->fresh = layer->table[found] == EMPTY;
    if (!layer->fresh) {
        *at = layer->table[found];
        return true;
    }
    if (layer->count == layer->room) {
        if (!grow(layer, 2 * layer->room))
            return false;
        found = place(layer, state);
    }
    *at = layer->count++;
    layer->table[found] = (uint32_t)*at;
    layer->states[*at] = *state;
    layer->values[*at] = 0;
    return true;
}

void pt_layer_scale(pt_layer_t *layer)
{
    double most = 0;
    for (size_t s = 0; s < layer->count; s++)
        most = layer->values[s] > most ? layer->values[s] : most;
    for (size_t s = 0; s < layer->count && most > 0; s++)
        layer->values[s] /= most;
}

/* --- trail ---------------------------------------------------------------------------------------
 */

bool pt_trail_add(pt_trail_t *trail, const pt_layer_t *layer)
{
    if (trail->layers == trail->layers_room) {
        size_t room = trail->layers_room ? 2 * trail->layers_room : 512;
        size_t *begins = realloc(trail->begins, room * sizeof *begins);
        if (!begins)
            return false;
        trail->begins = begins;
        trail->layers_room = room;
    }
    if (trail->count + layer->count > trail->room) {
        size_t room = 2 * (trail->count + layer->count);
        pt_step_t *steps = realloc(trail->steps, room * sizeof *steps);
        if (!steps)
            return false;
        trail->steps = steps;
        trail->room = room;
    }
    memcpy(trail->steps + trail->count, layer->steps, layer->count * sizeof *layer->steps);
    trail->begins[trail->layers++] = trail->count;
    trail->count += layer->count;
    return true;
}

void pt_trail_back(const pt_trail_t *trail, size_t state, size_t length, uint8_t *codons)
{
    while (length-- > 0) {
        const pt_step_t *step = &trail->steps[trail->begins[length] + state];
        codons[length] = step->codon;
        state = step->parent;
    }
}

void pt_trail_clear(pt_trail_t *trail)
{
    free(trail->steps);
    free(trail->begins);
}

/* --- ranges --------------------------------------------------------------------------------------
 */

static bool counts(const pt_design_t *design, const pt_gc_range_t *range)
{
    return range->from >= 3 * design->from && range->to <= 3 * design->to;
}

/* Which bases of a residue's codon lie in the range. */
static unsigned bases_in(const pt_gc_range_t *range, size_t residue)
{
    unsigned bases = 0;
    for (size_t b = 0; b < 3; b++)
        if (3 * residue + b >= range->from && 3 * residue + b < range->to)
            bases |= 1u << b;
    return bases;
}

static unsigned gc_in(unsigned codon, unsigned bases)
{
    unsigned gc = 0;
    for (unsigned b = 0; b < 3; b++)
        gc += bases >> b & pt_codon_gc(codon, b);
    return gc;
}

/* Fewest and most that the codons from `residue` to the range's end can add. */
static void rest_of(const pt_design_t *design, const pt_gc_range_t *range, size_t residue,
                    pt_touch_t *touch)
{
    touch->least = touch->most = 0;
    for (; 3 * residue < range->to; residue++) {
        const pt_choice_t *choice = &design->choices[residue];
        unsigned least = 3, most = 0, bases = bases_in(range, residue);
        for (unsigned c = 0; c < choice->count; c++) {
            unsigned gc = gc_in(choice->codon[c], bases);
            least = gc < least ? gc : least;
            most = gc > most ? gc : most;
        }
        touch->least += least;
        touch->most += most;
    }
}

int pt_slot_of(const pt_slots_t *slots, size_t range)
{
    for (size_t s = 0; s < slots->count; s++)
        if (slots->ranges[s] == range)
            return (int)s;
    return -1;
}

bool pt_slots_move(pt_slots_t *slots, const pt_design_t *design, size_t residue)
{
    pt_slots_t next = {.count = 0};
    for (size_t r = 0; r < design->range_count; r++) {
        const pt_gc_range_t *range = &design->ranges[r];
        unsigned bases = bases_in(range, residue);
        if (!bases || !counts(design, range))
            continue;
        if (next.touch_count == PT_SLOTS_MAX)
            return false;
        pt_touch_t *touch = &next.touches[next.touch_count++];
        *touch = (pt_touch_t){.range = r, .bases = bases, .low = range->low, .high = range->high};
        touch->before = pt_slot_of(slots, r);
        touch->behind = range->to > 3 * (residue + 1) ? (int)next.count : -1;
        rest_of(design, range, residue + 1, touch);
        if (touch->behind >= 0)
            next.ranges[next.count++] = r;
    }
    *slots = next;
    return true;
}

bool pt_slots_add(const pt_slots_t *slots, const uint16_t *before, unsigned codon, uint16_t *behind)
{
    for (size_t t = 0; t < slots->touch_count; t++) {
        const pt_touch_t *touch = &slots->touches[t];
        unsigned gc = touch->before >= 0 ? before[touch->before] : 0;
        if (gc != PT_SETTLED) {
            gc += gc_in(codon, touch->bases);
            if (gc + touch->most < touch->low || gc + touch->least > touch->high)
                return false;
            if (gc + touch->least >= touch->low && gc + touch->most <= touch->high)
                gc = PT_SETTLED;
        }
        if (touch->behind >= 0)
            behind[touch->behind] = (uint16_t)gc;
    }
    return true;
}
