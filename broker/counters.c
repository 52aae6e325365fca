#include "broker/counters.h"

#include <string.h>

void pt_counters_add(pt_counters_t *self, const char *reason)
{
    size_t i = 0;
    for (; i < PT_COUNTERS_MAX - 1; i++) {
        const char *known = atomic_load(&self->items[i].reason);
        if (!known)
            atomic_store(&self->items[i].reason, reason);
        if (!known || strcmp(known, reason) == 0)
            break;
    }
    if (i == PT_COUNTERS_MAX - 1)
        atomic_store(&self->items[i].reason, "other");
    atomic_fetch_add(&self->items[i].n, 1);
}

void pt_counters_print(const pt_counters_t *self, FILE *to, const char *name, const char *socket)
{
    for (size_t i = 0; i < PT_COUNTERS_MAX; i++) {
        const char *reason = atomic_load(&self->items[i].reason);
        if (reason)
            fprintf(to, "%s{socket=\"%s\",reason=\"%s\"} %llu\n", name, socket, reason,
                    (unsigned long long)atomic_load(&self->items[i].n));
    }
}
