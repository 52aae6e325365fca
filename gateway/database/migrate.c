#include "gateway/database/migrate.h"

#include "gateway/database/pg.h"
#include "proto/program/log.h"

#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 60000

static int newest(void)
{
    int version = 0;
    for (const pt_migration_t *m = pt_migrations; m->version; m++)
        version = m->version;
    return version;
}

/* A migration is many statements, which only the simple protocol takes; no deadline, because a
   step may rewrite a table, and a person waits for it. */
static bool run_text(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok)
        pt_log(PT_ERROR, "migration failed", PT_S("why", PQerrorMessage(conn)));
    PQclear(result);
    return ok;
}

static int read_version(PGconn *conn)
{
    PGresult *result = PQexec(conn, "select coalesce(max(version), 0) from schema_migrations");
    int version = PQresultStatus(result) == PGRES_TUPLES_OK ? atoi(PQgetvalue(result, 0, 0)) : -1;
    PQclear(result);
    return version;
}

static bool apply(PGconn *conn, const pt_migration_t *m)
{
    char note[128];
    snprintf(note, sizeof note, "insert into schema_migrations (version) values (%d)", m->version);
    bool ok = run_text(conn, "begin") && run_text(conn, m->sql) && run_text(conn, note) &&
              run_text(conn, "commit");
    if (ok)
        pt_log(PT_INFO, "migrated", PT_N("version", m->version), PT_S("name", m->name));
    else
        run_text(conn, "rollback");
    return ok;
}

static bool apply_all(PGconn *conn)
{
    int version = read_version(conn);
    if (version < 0 || version > newest()) {
        pt_log(PT_ERROR, "the schema is newer than this program; install the newer program",
               PT_N("schema", version), PT_N("program", newest()));
        return false;
    }
    for (const pt_migration_t *m = pt_migrations; m->version; m++)
        if (m->version > version && !apply(conn, m))
            return false;
    return true;
}

bool pt_migrate(const char *uri)
{
    PGconn *conn = PQconnectdb(uri);
    bool ok = PQstatus(conn) == CONNECTION_OK;
    if (!ok)
        pt_log(PT_ERROR, "cannot reach the database", PT_S("why", PQerrorMessage(conn)));
    /* The lock ends with the connection. */
    ok = ok && run_text(conn, "set client_min_messages = warning") &&
         run_text(conn, "select pg_advisory_lock(hashtext('paratope.migrate'))") &&
         run_text(conn, "create table if not exists schema_migrations (version integer primary key,"
                        " applied_at timestamptz not null default now())") &&
         apply_all(conn);
    PQfinish(conn);
    return ok;
}

/* ---- the check at start ------------------------------------------------------------------ */

static const pt_sql_t sql_fit = {
    "fit", "select coalesce((select max(version) from schema_migrations), 0),"
           " current_setting('fsync'), current_setting('synchronous_commit'), pg_backend_pid()"};

static bool is_fit(PGresult *row, PGresult *later)
{
    int version = atoi(PQgetvalue(row, 0, 0));
    if (version != newest()) {
        pt_log(PT_ERROR,
               version < newest()
                   ? "the schema is older than this program; run paratope-gateway --migrate"
                   : "the schema is newer than this program; install the newer program",
               PT_N("schema", version), PT_N("program", newest()));
        return false;
    }
    if (strcmp(PQgetvalue(row, 0, 1), "off") == 0) {
        pt_log(PT_ERROR, "fsync is off in PostgreSQL: an accepted job could be lost; turn it on");
        return false;
    }
    if (strcmp(PQgetvalue(row, 0, 2), "off") == 0)
        pt_log(PT_WARNING, "synchronous_commit is off: jobs accepted just before a crash are lost");
    if (strcmp(PQgetvalue(row, 0, 3), PQgetvalue(later, 0, 3)) != 0) {
        pt_log(PT_ERROR, "a pooler in transaction mode stands before PostgreSQL; connect directly");
        return false;
    }
    return true;
}

pt_schema_t pt_schema_check(pt_pg_t *pg)
{
    PGresult *row = NULL, *later = NULL;
    pt_pg_outcome_t outcome = pt_pg_run(pg, &sql_fit, NULL, 0, 3000, &row);
    if (outcome == PT_PG_OK)
        outcome = pt_pg_run(pg, &sql_fit, NULL, 0, 3000, &later);
    pt_schema_t verdict = PT_SCHEMA_AWAY;
    if (outcome == PT_PG_OK)
        verdict = is_fit(row, later) ? PT_SCHEMA_OK : PT_SCHEMA_UNFIT;
    if (outcome == PT_PG_AGAIN && pt_pg_failed_by(pg, "42P01")) {
        verdict = PT_SCHEMA_UNFIT;
        pt_log(PT_ERROR, "no schema here; run paratope-gateway --migrate",
               PT_S("why", pt_pg_error(pg)));
    }
    PQclear(row);
    PQclear(later);
    return verdict;
}
