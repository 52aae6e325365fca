/* The schema's numbered steps. They only go forward, and a program refuses a schema newer than it.
 */
#ifndef PT_MIGRATE_H
#define PT_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int version;
    const char *name, *sql;
} pt_migration_t;

/* From gateway/schema, in order; ends with version 0. */
extern const pt_migration_t pt_migrations[];

/* Brings the database up to date, each step in a transaction, alone among all who try at once.
   Says what it did, or why it could not, in the log. */
bool pt_migrate(const char *uri);

struct pt_pg;

/* Whether the database can be used: the newest step is there and none that is unknown, commits are
   durable (fsync), and no pooler in transaction mode stands between. Says in the log why not. */
typedef enum { PT_SCHEMA_OK, PT_SCHEMA_AWAY, PT_SCHEMA_UNFIT } pt_schema_t;
pt_schema_t pt_schema_check(struct pt_pg *pg);

#endif
