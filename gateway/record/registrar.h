/* Records what workers declare of job types (PROTOCOL.md, section 6) in the table `declarations`:
 * of each type what has the greatest version. A thread, so that who reads the sockets need not
 * wait; only the leader's works. What cannot be recorded now is said again within 30 s.
 */
#ifndef PT_REGISTRAR_H
#define PT_REGISTRAR_H

#include "gateway/database/pool.h"
#include "proto/declared.h"
#include "proto/message.h"

typedef struct pt_registrar pt_registrar_t;

/* Starts the thread. Writes on connections of `pool`, which must live longer. */
pt_registrar_t *pt_registrar_new(pt_pool_t *pool);
void pt_registrar_destroy(pt_registrar_t **self);

/* Off: what waits is dropped. */
void pt_registrar_set_active(pt_registrar_t *self, bool active);

/* The table may have changed: what stands in it is no longer known. */
void pt_registrar_settings(pt_registrar_t *self);

/* Takes a `declare` message; the payload is copied. False if it has none that could be read;
   dropped in silence if too many wait. */
bool pt_registrar_take(pt_registrar_t *self, const pt_msg_t *msg, const void *payload, size_t size);

typedef struct {
    uint64_t recorded, refused; /* refused: not acceptable */
} pt_registrar_counts_t;
pt_registrar_counts_t pt_registrar_counts(pt_registrar_t *self);

/* Whether a payload, which is well-formed, is acceptable; `declaration` borrows from it. Else `why`
   says what is not. */
#define PT_REGISTRAR_WHY 400
bool pt_registrar_check(pt_declared_t *declaration, const void *payload, size_t size,
                        char why[PT_REGISTRAR_WHY]);

#endif
