/* Says that a peer sends nonsense: once a peer and minute, and for a bounded number of peers. */
#ifndef PT_GRUMBLE_H
#define PT_GRUMBLE_H

#include "broker/route.h"

typedef struct pt_grumble pt_grumble_t;

pt_grumble_t *pt_grumble_new(void);
void pt_grumble_destroy(pt_grumble_t **self);

/* `now` in milliseconds of a clock that only goes forward. */
void pt_grumble(pt_grumble_t *self, int64_t now, const pt_route_t *from, const char *reason);

#endif
