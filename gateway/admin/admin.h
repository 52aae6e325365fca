/* `paratope-gateway admin …`: organisations, tokens, variants from files. */
#ifndef PT_ADMIN_H
#define PT_ADMIN_H

#include "gateway/database/pg.h"

/* Answers are JSON, one object a line, on standard output. Returns the exit status: 0, 1 if it
   failed, 2 if the command is none. `argv` is what follows "admin". */
int pt_admin_run(const char *database_uri, int argc, const char *const *argv);

/* For the commands: says why on standard error; returns 1, their exit status. */
int pt_admin_fail(const char *why);
int pt_admin_fail_outcome(pt_pg_outcome_t outcome);

#endif
