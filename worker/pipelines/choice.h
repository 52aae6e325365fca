/*
 *  Reading a job's options. They were checked against the pipeline's schema at submit; what still
 * does not fit (a pipeline may be older or newer than the schema) is the error invalid_options,
 * which names the option by its JSON pointer.
 */
#ifndef PT_CHOICE_H
#define PT_CHOICE_H

#include "worker/pipelines/molecule.h"
#include <jansson.h>

/* Fills *error; always false. `pointer` as in "/scheme". */
bool pt_choice_refuse(pt_error_t *error, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* *index of the option's word among `words` (the last is NULL); left as it is without the option.
 */
bool pt_choice_word(const json_t *options, const char *key, const char *const words[], int *index,
                    pt_error_t *error);

/* A number within [least, most]; left as it is without the option. */
bool pt_choice_number(const json_t *options, const char *key, double least, double most,
                      double *value, pt_error_t *error);

/* An array of at most `most` values of a type; NULL without the option. Borrowed. */
bool pt_choice_list(const json_t *options, const char *key, size_t most, const json_t **list,
                    pt_error_t *error);

/* "H52A": domain 0 (H) or 1 (L), and the position. False for anything else. */
bool pt_choice_place(const char *text, size_t *domain, pt_position_t *position);

#endif
