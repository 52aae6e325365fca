/* Options of a job type against the JSON Schema that its pipeline declares: a subset of 2020-12
 * that docs/plugins.md lists. A schema with any other keyword is refused, so that nothing is
 * silently not checked.
 *
 * Keywords: type (one name), enum, const, properties, required, additionalProperties (false only),
 * items (one schema), minItems, maxItems, uniqueItems, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, minLength, maxLength, pattern (POSIX extended, anchored at both ends); title,
 * description, default and examples say nothing about what is valid.
 */
#ifndef PT_OPTIONS_SCHEMA_H
#define PT_OPTIONS_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

#define PT_OPTIONS_ERRORS_MAX 16

typedef struct {
    char pointer[128]; /* JSON pointer (RFC 6901) into the value; "" is the whole */
    char message[200];
} pt_options_error_t;

/* Whether it is a schema that is understood whole, of an object whose options each have a default
   and a description; else `error` says where in the schema and why. */
bool pt_options_schema_check(const json_t *schema, pt_options_error_t *error);

/* Every fault of the value, an option that the schema does not name among them, whether or not it
   says additionalProperties. Up to `room`; 0 if it is valid. The schema must have been checked. */
size_t pt_options_validate(const json_t *schema, const json_t *value, pt_options_error_t *errors,
                           size_t room);

#endif
