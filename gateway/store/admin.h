/* What the administration commands write. Each is one statement. */
#ifndef PT_STORE_ADMIN_H
#define PT_STORE_ADMIN_H

#include "gateway/database/pool.h"
#include "proto/uuid.h"

pt_pg_outcome_t pt_store_make_organisation(pt_pool_t *pool, const pt_uuid_t *id, const char *name);

/* `*found` is false if there is no such organisation. `hash` is the token's SHA-256, 32 bytes. */
pt_pg_outcome_t pt_store_make_token(pt_pool_t *pool, const pt_uuid_t *id, const pt_uuid_t *org,
                                    const char *name, const uint8_t *hash, bool *found);

/* Every gateway hears of it. `*found` is false if there is no such token; one that was revoked
   before stays so. */
pt_pg_outcome_t pt_store_revoke_token(pt_pool_t *pool, const pt_uuid_t *id, bool *found);

pt_pg_outcome_t pt_store_has_organisation(pt_pool_t *pool, const pt_uuid_t *id, bool *found);

#endif
