/* Identifiers: 16 bytes in headers and tables, text with dashes in topics and JSON. */
#ifndef PT_UUID_H
#define PT_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_UUID_SIZE 16
#define PT_UUID_TEXT 37 /* 36 characters and the NUL */

typedef struct {
    uint8_t bytes[PT_UUID_SIZE];
} pt_uuid_t;

/* A new version 7 UUID (RFC 9562): milliseconds since 1970, then random bits from the kernel, so
   that new rows stand together in an index. `unix_us` is the wall clock in microseconds. */
pt_uuid_t pt_uuid_new(int64_t unix_us);

/* A version 4 UUID: 122 random bits. For what must not tell its age, and for instances. */
pt_uuid_t pt_uuid_random(void);

/* Reads 36 characters, either case; false if they are not a UUID with dashes. */
bool pt_uuid_parse(pt_uuid_t *self, const char *text, size_t size);

/* Writes lower case and a NUL; returns `text`. */
char *pt_uuid_format(const pt_uuid_t *self, char text[PT_UUID_TEXT]);

bool pt_uuid_equal(const pt_uuid_t *a, const pt_uuid_t *b);

/* Order of the bytes, as PostgreSQL orders uuid: the order in which rows are locked. */
int pt_uuid_compare(const void *a, const void *b);

/* Fills with random bytes from getrandom(2). */
void pt_random(void *data, size_t size);

#endif
