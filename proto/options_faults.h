/* Where in a value something is wrong, and what: shared by the check of schemas and of options. */
#ifndef PT_OPTIONS_FAULTS_H
#define PT_OPTIONS_FAULTS_H

#include "proto/options_schema.h"

#include <regex.h>

/* A place in a value, from the inside out; the root has no parent, an item of a list no name. */
typedef struct pt_place {
    const struct pt_place *parent;
    const char *name;
    size_t index;
} pt_place_t;

typedef struct {
    pt_options_error_t *errors;
    size_t count, room;
} pt_faults_t;

/* Notes one, if there is room. Returns false, so that a check can end with it. */
bool pt_fault(pt_faults_t *self, const pt_place_t *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define PT_SHOWN_MAX 48
/* A value as a message names it: its JSON, cut where it is long. */
const char *pt_value_shown(const json_t *value, char text[PT_SHOWN_MAX]);

/* Whether it is of the schema's type; an integer is written without a fraction: 1.0 is none. */
bool pt_value_has_type(const json_t *value, const char *type);

/* Compiles a pattern that must fit from the first character to the last; false: it is none. */
#define PT_PATTERN_MAX 256 /* bytes */
bool pt_pattern_compile(const char *pattern, regex_t *expression);

/* Every fault of the value; how many there are. */
size_t pt_options_faults(const json_t *schema, const json_t *value, const pt_place_t *at,
                         pt_faults_t *faults);

#endif
