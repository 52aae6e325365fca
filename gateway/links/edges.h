/* The last event number of each organisation, and when to repeat it to subscribers, pure: every 2 s
 * while something happens, then every 30 s, so that who missed the last event learns of it.
 */
#ifndef PT_EDGES_H
#define PT_EDGES_H

#include "proto/uuid.h"

#include <stdbool.h>

typedef struct pt_edges pt_edges_t;

pt_edges_t *pt_edges_new(void);
void pt_edges_destroy(pt_edges_t **self);

/* Event `seq` of the organisation exists. A number below the last changes nothing. */
void pt_edges_note(pt_edges_t *self, const pt_uuid_t *org_id, uint64_t seq, int64_t now);

/* Whether `seq` is above the last number that was noted. */
bool pt_edges_is_new(const pt_edges_t *self, const pt_uuid_t *org_id, uint64_t seq);

/* Calls `say` for each organisation whose edge is due. Returns when to ask again (ms). */
typedef void pt_edges_say_fn(void *context, const pt_uuid_t *org_id, uint64_t seq);
int64_t pt_edges_due(pt_edges_t *self, int64_t now, pt_edges_say_fn *say, void *context);

#endif
