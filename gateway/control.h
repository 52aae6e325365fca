/* The gateway's one control connection: it holds the recorder's lock, hears of changed tokens and
 * settings, and
 * is pinged twice a second, so that a gateway that is cut off stops leading and stops trusting its
 * cache within seconds.
 */
#ifndef PT_CONTROL_H
#define PT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pt_control pt_control_t;

/* Starts the thread; `leads` is called in it whenever leadership changes, `settings` whenever
   types' settings or limits may have changed. */
typedef void pt_control_leads_fn(void *context, bool leader);
typedef void pt_control_settings_fn(void *context);
pt_control_t *pt_control_new(const char *uri, pt_control_leads_fn *leads,
                             pt_control_settings_fn *settings, void *context);
/* Gives leadership up (after `leads (context, false)`) and ends the thread. */
void pt_control_destroy(pt_control_t **self);

typedef struct {
    bool database;         /* the last ping was answered in time */
    bool leader, recorder; /* this gateway leads; some gateway leads */
    int64_t pinged;        /* clock ms of the last answered ping */
    uint64_t token_generation;
} pt_control_state_t;
pt_control_state_t pt_control_state(pt_control_t *self);

#endif
