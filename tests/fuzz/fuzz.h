/* What the fuzz targets share: a check that ends the process, and a reader of the fuzzer's bytes.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang's: a line of the report, which is read also when the target's own output is closed. */
void __sanitizer_report_error_summary(const char *line);

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        if (!(CONDITION)) {                                                                        \
            char line[400];                                                                        \
            snprintf(line, sizeof line, "%s:%d: not so: %s", __FILE__, __LINE__, #CONDITION);      \
            __sanitizer_report_error_summary(line);                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *at;
    size_t left;
} reader_t;

/* The next byte; 0 when there are no more. */
static inline uint8_t next(reader_t *self)
{
    if (self->left == 0)
        return 0;
    self->left--;
    return *self->at++;
}

/* The next byte, below `n`. */
static inline unsigned below(reader_t *self, unsigned n)
{
    return next(self) % n;
}

/* So many bytes, or what is left of them. The copy has exactly their size, so that a read beyond it
   is seen; to be freed. */
static inline uint8_t *take(reader_t *self, size_t *size)
{
    *size = *size < self->left ? *size : self->left;
    uint8_t *copy = malloc(*size);
    CHECK(copy || *size == 0);
    if (*size)
        memcpy(copy, self->at, *size);
    self->at += *size;
    self->left -= *size;
    return copy;
}

/* As text with its NUL; it ends at the first NUL among the bytes. */
static inline char *take_text(reader_t *self, size_t size)
{
    size = size < self->left ? size : self->left;
    char *text = malloc(size + 1);
    CHECK(text);
    if (size)
        memcpy(text, self->at, size);
    text[size] = 0;
    self->at += size;
    self->left -= size;
    return text;
}

#endif
