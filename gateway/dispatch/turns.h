/* Whose turn it is among organisations that wait for the same job type, pure: weighted round robin.
 *
 * Turns stand on a line. A job of an organisation of weight w takes it PT_TURN / w further; the
 * organisation that stands furthest back is next, and one that comes anew stands where the line is
 * now. So in a round of PT_TURN each has as many turns as its weight, and who comes anew waits for
 * at most one job of each other. The order is made by pt_sql_hand_out; what is kept here is where
 * each stands.
 */
#ifndef PT_TURNS_H
#define PT_TURNS_H

#include "gateway/uuid_hash.h"

#define PT_TURN 1000000
#define PT_TURNS_MAX 4096 /* organisations ahead of now; one beyond may come a round too early */

typedef struct {
    zhashx_t *ahead; /* organisations that stand ahead of now; NULL: none yet */
    int64_t now;     /* where the job that was handed out last stood */
} pt_turns_t;

void pt_turns_clear(pt_turns_t *self);

/* A job of the organisation was handed out at that turn. */
void pt_turns_took(pt_turns_t *self, const pt_uuid_t *org_id, int64_t turn, int weight);

/* {organisation: where it stands} of those ahead of now, as JSON text, which the caller frees. */
char *pt_turns_text(pt_turns_t *self);

#endif
