/* The query of a URL: numbers with bounds, from a table. */
#ifndef PT_QUERY_H
#define PT_QUERY_H

#include "gateway/http.h"

typedef struct {
    const char *name;
    int64_t min, max, def;
} pt_query_number_t;

/* Reads them in the table's order; what is not there gets its default. An unknown, repeated or bad
   parameter makes the answer a 400 that names each, and false is returned. */
bool pt_query_numbers(const pt_request_t *request, const pt_query_number_t *table, size_t count,
                      int64_t *values, pt_response_t *response);

#endif
