/* What a program is told: flags over environment over the file of --config (ZPL, see zconfig). */
#ifndef PT_OPTIONS_H
#define PT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    PT_OPTION_ONE,  /* --name VALUE, the last one counts */
    PT_OPTION_MANY, /* --name KEY=VALUE, again and again; in the file: a section of KEY = VALUE */
    PT_OPTION_TREE, /* --name SECTION.KEY=VALUE, likewise; in the file: a section of such sections
                     */
    PT_OPTION_FLAG  /* --name */
} pt_option_kind_t;

typedef struct {
    const char *name; /* without dashes; also the key in the file. NULL ends a table */
    const char *env;  /* or NULL */
    const char *def;  /* or NULL */
    pt_option_kind_t kind;
    const char *value; /* what the value is called in --help */
    const char *help;
} pt_option_t;

typedef struct pt_options pt_options_t;

/* Reads them all. --help and --version print and end the program with 0; what is wrong is said in
   one line and ends it with 2. `table` is borrowed. Arguments that are no options are kept. */
pt_options_t *pt_options_new(const char *program, const char *summary, const pt_option_t *table,
                             int argc, char **argv);
void pt_options_destroy(pt_options_t **self);

/* The value, or its default; NULL if it has neither. Owned by the options. */
const char *pt_options_get(const pt_options_t *self, const char *name);
bool pt_options_flag(const pt_options_t *self, const char *name);

/* The n-th value of a PT_OPTION_MANY or PT_OPTION_TREE, the file's first; NULL after the last. */
const char *pt_options_nth(const pt_options_t *self, const char *name, size_t n);

/* The n-th argument that is no option, NULL after the last. */
const char *pt_options_argument(const pt_options_t *self, size_t n);

/* Of a program that takes none of those: says which one is too much and ends the program with 2. */
void pt_options_take_none(const pt_options_t *self);

/* Like pt_options_get, but says in one line what is missing and ends the program with 2. */
const char *pt_options_demand(const pt_options_t *self, const char *name);

/* The n-th word of a value with words separated by spaces, copied to `word`; false after the
   last, or if it does not fit. */
bool pt_word(const char *text, size_t n, char *word, size_t size);

#endif
