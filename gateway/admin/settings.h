/* The administration commands of the lifecycle: settings of job types, limits, weights, dead
 * letters.
 */
#ifndef PT_ADMIN_SETTINGS_H
#define PT_ADMIN_SETTINGS_H

#include "gateway/database/pool.h"

/* Each takes its arguments, ended by NULL, prints its answer as a line of JSON, and returns the
   exit status. */
int pt_admin_job_type(pt_pool_t *pool, const char *const *arguments);
int pt_admin_forget(pt_pool_t *pool, const char *const *arguments);
int pt_admin_limit(pt_pool_t *pool, const char *const *arguments);
int pt_admin_weight(pt_pool_t *pool, const char *const *arguments);
int pt_admin_show(pt_pool_t *pool, const char *const *arguments);
int pt_admin_resubmit(pt_pool_t *pool, const char *const *arguments);

#endif
