#include "gateway/store/admin.h"

#include <stdio.h>

#define DEADLINE_MS 10000

static const pt_sql_t sql_organisation = {
    "make_organisation",
    "with made as (insert into organisations (id, name) values ($1::uuid, $2::text) returning id) "
    "insert into event_counters (org_id) select id from made returning org_id"};

static const pt_sql_t sql_token = {
    "make_token",
    "with made as ("
    "  insert into tokens (id, org_id, name, hash)"
    "  select $1::uuid, o.id, $3::text, $4::bytea from organisations o where o.id = $2::uuid"
    "  returning id) "
    "select id, pg_notify('paratope_tokens', id::text) from made"};

static const pt_sql_t sql_revoke = {
    "revoke_token",
    "with done as ("
    "  update tokens set revoked_at = coalesce(revoked_at, now()) where id = $1::uuid"
    "  returning id) "
    "select id, pg_notify('paratope_tokens', id::text) from done"};

static const pt_sql_t sql_has = {"has_organisation",
                                 "select 1 from organisations where id = $1::uuid"};

static pt_pg_outcome_t run(pt_pool_t *pool, const pt_sql_t *sql, const char *const *params,
                           int count, bool *found)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pool_run(pool, sql, params, count, DEADLINE_MS, &rows);
    *found = outcome == PT_PG_OK && PQntuples(rows) > 0;
    PQclear(rows);
    return outcome;
}

pt_pg_outcome_t pt_store_make_organisation(pt_pool_t *pool, const pt_uuid_t *id, const char *name)
{
    char id_text[PT_UUID_TEXT];
    bool found;
    const char *const params[] = {pt_uuid_format(id, id_text), name};
    return run(pool, &sql_organisation, params, 2, &found);
}

pt_pg_outcome_t pt_store_make_token(pt_pool_t *pool, const pt_uuid_t *id, const pt_uuid_t *org,
                                    const char *name, const uint8_t *hash, bool *found)
{
    char id_text[PT_UUID_TEXT], org_text[PT_UUID_TEXT], hash_text[2 + 64 + 1] = "\\x";
    for (size_t i = 0; i < 32; i++)
        snprintf(hash_text + 2 + 2 * i, 3, "%02x", hash[i]);
    const char *const params[] = {pt_uuid_format(id, id_text), pt_uuid_format(org, org_text), name,
                                  hash_text};
    return run(pool, &sql_token, params, 4, found);
}

pt_pg_outcome_t pt_store_revoke_token(pt_pool_t *pool, const pt_uuid_t *id, bool *found)
{
    char id_text[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(id, id_text)};
    return run(pool, &sql_revoke, params, 1, found);
}

pt_pg_outcome_t pt_store_has_organisation(pt_pool_t *pool, const pt_uuid_t *id, bool *found)
{
    char id_text[PT_UUID_TEXT];
    const char *const params[] = {pt_uuid_format(id, id_text)};
    return run(pool, &sql_has, params, 1, found);
}
