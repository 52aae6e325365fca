/* Inputs of one job, read from its rows (pt_sql_job_inputs). */
#ifndef PT_JOB_INPUTS_H
#define PT_JOB_INPUTS_H

#include "gateway/database/pg.h"
#include "gateway/dispatch/inputs.h"

/* `rows` has at least one, and is borrowed for as long as the inputs are used. Earlier jobs whose
   results are there no more are left out. */
void pt_job_inputs_read(const PGresult *rows, pt_inputs_t *inputs);

#endif
