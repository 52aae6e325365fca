/* The one source of chance of a seed: the same seed gives the same run, on any machine. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t state;
} random_t;

/* SplitMix64. */
static inline uint64_t random_bits(random_t *self)
{
    uint64_t z = (self->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* From 0 to n − 1. */
static inline int64_t random_below(random_t *self, int64_t n)
{
    return n > 0 ? (int64_t)(random_bits(self) % (uint64_t)n) : 0;
}

/* From `low` to `high`. */
static inline int64_t random_between(random_t *self, int64_t low, int64_t high)
{
    return low + random_below(self, high - low + 1);
}

/* True in `permille` of 1,000 cases. */
static inline bool random_chance(random_t *self, int permille)
{
    return random_below(self, 1000) < permille;
}

#endif
