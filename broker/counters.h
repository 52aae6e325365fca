/* How often something happened, by reason. One thread adds, any may read. */
#ifndef PT_COUNTERS_H
#define PT_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define PT_COUNTERS_MAX 32

typedef struct {
    struct {
        _Atomic(const char *) reason; /* NULL: free, and so are all after it */
        _Atomic uint64_t n;
    } items[PT_COUNTERS_MAX];
} pt_counters_t;

/* `reason` is a constant of the program, kept by address. With more than PT_COUNTERS_MAX different
   ones the last place counts the rest. */
void pt_counters_add(pt_counters_t *self, const char *reason);

/* One Prometheus sample a reason: NAME{socket="SOCKET",reason="REASON"} N */
void pt_counters_print(const pt_counters_t *self, FILE *to, const char *name, const char *socket);

#endif
