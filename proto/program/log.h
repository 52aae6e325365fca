/* One line an event on standard error: JSON, or text on a terminal. Safe from any thread. */
#ifndef PT_LOG_H
#define PT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { PT_DEBUG, PT_INFO, PT_WARNING, PT_ERROR } pt_level_t;

/* A named value beside the message: text (NULL is left out) or a number. */
typedef struct {
    const char *key, *text;
    int64_t number;
    bool is_number;
} pt_log_field_t;

#define PT_S(KEY, TEXT) ((pt_log_field_t){KEY, TEXT, 0, false})
#define PT_N(KEY, NUMBER) ((pt_log_field_t){KEY, NULL, (int64_t)(NUMBER), true})

/* Names the program in every line; call once before the first thread. `name` is borrowed. */
void pt_log_open(const char *name);

/* pt_log (PT_INFO, "worker lost", PT_S ("worker", name), PT_N ("silent_ms", 3000)); */
#define pt_log(LEVEL, MESSAGE, ...)                                                                \
    pt_log_write(LEVEL, MESSAGE, (const pt_log_field_t[]){__VA_ARGS__ __VA_OPT__(, ){0}})

/* `fields` ends with one whose key is NULL. */
void pt_log_write(pt_level_t level, const char *message, const pt_log_field_t *fields);

#endif
