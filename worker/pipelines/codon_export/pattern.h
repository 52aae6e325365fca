/*
 *  What must not stand in a DNA: a pattern of IUPAC letters, with a name for people.
 */
#ifndef PT_PATTERN_H
#define PT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_PATTERN_MAX 64 /* letters */
#define PT_PATTERN_NAME_MAX 64

typedef struct {
    char name[PT_PATTERN_NAME_MAX];   /* patterns of one name are one constraint */
    char letters[PT_PATTERN_MAX + 1]; /* IUPAC, as it is read on the coding strand */
    uint8_t mask[PT_PATTERN_MAX];     /* which bases a letter allows: bit 0 A, 1 C, 2 G, 3 T */
    size_t length;
    bool inside; /* counts only when it lies in the coding sequence whole; else also when it begins
                    or ends beside it */
    bool once;   /* may stand once, and not again (inside only) */
    size_t last; /* of `once`: the last base at which it can begin */
} pt_pattern_t;

/* False when a letter is not IUPAC or there are none or too many. */
bool pt_pattern_read(const char *name, const char *letters, pt_pattern_t *pattern);

/* The same on the other strand. */
void pt_pattern_reverse(const pt_pattern_t *pattern, pt_pattern_t *reverse);

/* The recognition sequence of a restriction enzyme; NULL for a name that is not in the table. */
const char *pt_enzyme_site(const char *name);

/* Signals of expression that a coding sequence should not hold by accident. */
typedef struct {
    const char *name;       /* of the option */
    const char *not_in;     /* hosts, separated by spaces, in which it means nothing */
    const char *letters[8]; /* ended by NULL */
} pt_signal_t;

extern const pt_signal_t pt_signals[];
extern const size_t pt_signal_count;

#endif
