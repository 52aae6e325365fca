/* Whether to say that a peer does what it should not: once a peer and minute, and for a bounded
   number of peers. */
#ifndef PT_GRUMBLE_H
#define PT_GRUMBLE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pt_grumble pt_grumble_t;

pt_grumble_t *pt_grumble_new(void);
void pt_grumble_destroy(pt_grumble_t **self);

/* `now` in milliseconds of a clock that only goes forward; `peer` as the log shows it. */
bool pt_grumble(pt_grumble_t *self, int64_t now, const char *peer);

#endif
