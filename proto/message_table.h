/* The table of the messages, of which encoding, decoding and payloads are made; for these alone. */
#ifndef PT_MESSAGE_TABLE_H
#define PT_MESSAGE_TABLE_H

#include "proto/message.h"

/* What each field is called and where it lives. */
typedef enum {
    UINT32,
    UINT64,
    PRIORITY,
    WEIGHT,
    LARGE,
    TIME,
    BOOL,
    FRACTION,
    TEXT,
    JOB_TYPE,
    BYTES,
    COUNTS,
    REFS
} pt_kind_t;

typedef struct {
    const char *key;
    pt_kind_t kind;
    size_t offset, size;
} pt_field_row_t;

/* What each verb must and may carry. */
typedef struct {
    const char *name;
    uint64_t must, may;
    pt_payload_t payload;
} pt_verb_row_t;

extern const pt_field_row_t pt_field_rows[PT_FIELDS];
extern const pt_verb_row_t pt_verb_rows[PT_VERBS];

static inline void *pt_msg_member(const pt_msg_t *self, const pt_field_row_t *field)
{
    return (char *)(uintptr_t)self + field->offset;
}

#endif
