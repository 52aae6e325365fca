/*
 *  What the design's dynamic programming keeps: the states behind one codon (a layer), how each was
 * reached (the trail), and which G+C ranges are being counted (slots).
 */
#ifndef PT_LAYER_H
#define PT_LAYER_H

#include "worker/pipelines/codon_export/design.h"

/* A count that can no longer miss its range: all of them are the same, so there are fewer states.
 */
#define PT_SETTLED UINT16_MAX
#define PT_SLOTS_MAX 24 /* ranges counted at one base */

typedef struct {
    uint32_t matcher;
    uint16_t gc[PT_SLOTS_MAX]; /* of the ranges that are being counted, in slots' order */
} pt_state_t;

typedef struct {
    uint32_t parent; /* state of the layer before */
    uint8_t codon;
} pt_step_t;

typedef struct {
    size_t count, room;
    pt_state_t *states;
    double *values; /* cost, or weight when sampling */
    pt_step_t *steps;
    uint32_t *table; /* by hash, open addressing */
    size_t table_size;
    size_t slots; /* how many of gc count */
    bool fresh;   /* whether the last put made the state */
} pt_layer_t;

bool pt_layer_make(pt_layer_t *layer);
void pt_layer_clear(pt_layer_t *layer);
void pt_layer_empty(pt_layer_t *layer, size_t slots);
/* Finds or makes the state (value 0). False when memory is out. */
bool pt_layer_put(pt_layer_t *layer, const pt_state_t *state, size_t *at);
/* The largest value becomes 1. */
void pt_layer_scale(pt_layer_t *layer);

/* The steps of all layers one behind the other. */
typedef struct {
    pt_step_t *steps;
    size_t count, room;
    size_t *begins; /* of each layer in steps */
    size_t layers, layers_room;
} pt_trail_t;

bool pt_trail_add(pt_trail_t *trail, const pt_layer_t *layer);
/* Writes the codons that lead to a state of the last layer. */
void pt_trail_back(const pt_trail_t *trail, size_t state, size_t length, uint8_t *codons);
void pt_trail_clear(pt_trail_t *trail);

/* A range that the present codon touches. */
typedef struct {
    size_t range;
    int before, behind;   /* its slot before and behind the codon; -1 none */
    unsigned bases;       /* which of the codon's bases lie in it, a bit each */
    unsigned low, high;   /* of the range */
    unsigned least, most; /* that the codons behind can still add */
} pt_touch_t;

typedef struct {
    pt_touch_t touches[PT_SLOTS_MAX];
    size_t touch_count;
    size_t ranges[PT_SLOTS_MAX]; /* which range each slot behind the codon counts */
    size_t count;
} pt_slots_t;

/* Makes ready for the codon of a residue. False when more ranges meet here than there are slots. */
bool pt_slots_move(pt_slots_t *slots, const pt_design_t *design, size_t residue);

/* The slot behind the codon that counts a range; -1 none. */
int pt_slot_of(const pt_slots_t *slots, size_t range);

/* Counts a codon. False when a range can no longer be met. */
bool pt_slots_add(const pt_slots_t *slots, const uint16_t *before, unsigned codon,
                  uint16_t *behind);

#endif
