/* Reads msgpack one value after the other, from bytes that are known to be well-formed
 * (pt_msgpack_valid, or a stream that was cut by its lengths). Allocates nothing.
 */
#ifndef PT_VALUE_H
#define PT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are still to be read; borrowed. */
typedef struct {
    const uint8_t *data;
    size_t size;
} pt_span_t;

typedef enum {
    PT_VALUE_NIL,
    PT_VALUE_BOOL,
    PT_VALUE_UINT,
    PT_VALUE_NEGATIVE,
    PT_VALUE_FLOAT,
    PT_VALUE_TEXT,
    PT_VALUE_BIN,
    PT_VALUE_ARRAY,
    PT_VALUE_MAP
} pt_value_kind_t;

typedef struct {
    pt_value_kind_t kind;
    bool yes;          /* BOOL */
    uint64_t number;   /* UINT */
    int64_t negative;  /* NEGATIVE */
    double real;       /* FLOAT */
    const char *bytes; /* TEXT, BIN: borrowed, `size` of them */
    size_t size;       /* of ARRAY and MAP: the elements, or pairs, that follow in the span */
} pt_value_t;

/* Takes the next value; of an array or map only its head. The span must not be empty. */
pt_value_t pt_value_next(pt_span_t *at);

/* Takes the next value whole, with all that is in it. */
pt_span_t pt_value_whole(pt_span_t *at);

/* Whether the value is that text. */
bool pt_value_is(const pt_value_t *self, const char *text);

#endif
