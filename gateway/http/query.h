/* The query of a URL, read against a table. Nothing that is served needs an escape there, so none
 * is undone.
 */
#ifndef PT_QUERY_H
#define PT_QUERY_H

#include "gateway/http/cursor.h"
#include "gateway/http/http.h"

#define PT_QUERY_CODE_MAX 120 /* as long as a name in JSON */

typedef enum {
    PT_QUERY_NUMBER, /* digits, from min to max; def if it is not given */
    PT_QUERY_WORD,   /* one of `words` */
    PT_QUERY_UUID,
    PT_QUERY_CODE,  /* 1 to PT_QUERY_CODE_MAX letters, digits, _, - and . */
    PT_QUERY_CURSOR /* of the caller's organisation; empty is the same as not given */
} pt_query_kind_t;

typedef struct {
    const char *name;
    pt_query_kind_t kind;
    int64_t min, max, def;
    const char *const *words; /* ended by NULL */
} pt_query_param_t;

typedef struct {
    bool given;
    int64_t number;
    const char *word; /* of the table; NULL: not given */
    pt_uuid_t uuid;
    char code[PT_QUERY_CODE_MAX + 1];
    pt_position_t position;
} pt_query_value_t;

/* Reads them in the table's order. An unknown, repeated or bad parameter makes the answer a 400
   that names each, and false is returned. */
bool pt_query_read(const pt_request_t *request, const pt_query_param_t *table, size_t count,
                   pt_query_value_t *values, pt_response_t *response);

/* The text of one parameter, before the query is read; false: it is not given, or does not fit. */
bool pt_query_find(const pt_request_t *request, const char *name, char *value, size_t room);

#endif
