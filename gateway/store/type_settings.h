/* The settings of a job type without a row in job_types, as SQL; the table's own defaults are the
 * same. */
#ifndef PT_STORE_TYPE_SETTINGS_H
#define PT_STORE_TYPE_SETTINGS_H

#define PT_MAX_TRIES "3"
#define PT_RETRY_AFTER "interval '2 seconds'"
#define PT_RETRY_MOST "interval '60 seconds'"
#define PT_QUEUE_TIMEOUT "interval '24 hours'"

#endif
