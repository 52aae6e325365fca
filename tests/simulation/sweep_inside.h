/* What the parts of the sweep share, and nobody else: sweep.c (when it works on what),
 * sweep_hand_out.c, sweep_expire.c, sweep_ask.c, as in gateway/dispatch. It is the leader that
 * hands out what waits and asks who holds what is out.
 */
#ifndef SIM_SWEEP_INSIDE_H
#define SIM_SWEEP_INSIDE_H

#include "tests/simulation/gateway_inside.h"

#define AGAIN_MS 500

/* sweep.c */
void sweep_note_waits(sweep_t *sweep, int type, int64_t due);
void sweep_state(gateway_t *self, statement_t *statement);

/* sweep_hand_out.c. Those that return bool: true, it waits for a statement. */
bool sweep_hand_out(gateway_t *self);
void sweep_send_handed_out(gateway_t *self, const statement_t *answer);
void sweep_note_next_due(gateway_t *self, const statement_t *answer);
/* A new leader's line begins anew. */
void sweep_clear_turns(gateway_t *self);

/* sweep_expire.c: what nobody serves */
bool sweep_note_unserved(gateway_t *self);
bool sweep_expire(gateway_t *self);
void sweep_take_expired(gateway_t *self, const statement_t *answer);
void sweep_take_next_expiry(gateway_t *self, const statement_t *answer);

/* sweep_ask.c: who holds what is out */
bool sweep_ask_page(gateway_t *self);
void sweep_send_question(gateway_t *self, const statement_t *answer);

#endif
