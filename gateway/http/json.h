/* Bodies: read strictly, checked against a table of fields, every fault named at once. */
#ifndef PT_JSON_H
#define PT_JSON_H

#include "gateway/http/http.h"

typedef enum {
    PT_JSON_TEXT,   /* min to max characters, none of them a control character */
    PT_JSON_STRING, /* any string: its check comes later */
    PT_JSON_UUID,
    PT_JSON_WORD,  /* one of `words` */
    PT_JSON_LIST,  /* min to max items, each an object of `fields` */
    PT_JSON_UUIDS, /* min to max of them */
    PT_JSON_OBJECT /* any: its check comes later */
} pt_json_kind_t;

typedef struct pt_json_field {
    const char *name; /* NULL ends a table */
    pt_json_kind_t kind;
    bool required;
    size_t min, max;
    const char *const *words; /* ended by NULL */
    const struct pt_json_field *fields;
} pt_json_field_t;

#define PT_JSON_ERRORS_MAX 50 /* more than any person reads */

/* Characters of well-formed UTF-8. */
size_t pt_json_characters(const char *text);

/* Reads one JSON value and nothing after it: duplicate keys, NUL and deep
   nesting are refused. NULL with a reason, which names the line and column. */
json_t *pt_json_read(const char *text, size_t size, char *reason, size_t reason_size);

/* Checks the object against the table and appends {pointer, message} to `errors` for each field
   that is missing, unknown or wrong. `pointer` is where the object stands ("" for the body). */
void pt_json_check(json_t *object, const pt_json_field_t *fields, const char *pointer,
                   json_t *errors);

/* Appends one error, unless there are too many already; returns it (borrowed) or NULL. */
json_t *pt_json_error(json_t *errors, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As text, compact, each number with as few digits as read back the same; owned by the caller.
   NULL: out of memory. */
char *pt_json_text(const json_t *value);

/* Takes the white space between the tokens of valid JSON away, in place; returns what is left of
   `size`. PostgreSQL and jansson set theirs differently. */
size_t pt_json_squeeze(char *text, size_t size);

/* The request's body, of any kind; else NULL, and the answer is a 400. */
json_t *pt_json_parse(const pt_request_t *request, pt_response_t *response);

/* Takes the errors. Whether there are none; else the answer is a 400 that names them. */
bool pt_json_fits(const pt_request_t *request, json_t *errors, pt_response_t *response);

/* Takes both; `body` may be NULL, if it was answered already. The body if there are no errors. */
json_t *pt_json_judge(const pt_request_t *request, json_t *body, json_t *errors,
                      pt_response_t *response);

/* All in one: the request's body if it fits the table. */
json_t *pt_json_body(const pt_request_t *request, const pt_json_field_t *fields,
                     pt_response_t *response);

#endif
