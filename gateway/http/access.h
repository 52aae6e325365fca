/* What is logged of each request: a failure always, as a warning, and with --access-log every
 * request, one line each. Never a query, a header or a body: tokens and sequences stand there.
 */
#ifndef PT_ACCESS_H
#define PT_ACCESS_H

#include "gateway/http/client.h"

typedef struct {
    bool every;            /* --access-log */
    pt_proxies_t *proxies; /* owned */
} pt_access_t;

/* False after saying in one line which of `proxies`' words is none. */
bool pt_access_init(pt_access_t *self, bool every, const char *proxies);
void pt_access_clear(pt_access_t *self);

/* `request` without a method is one that could not be read. Health checks are passed over. */
void pt_access_note(const pt_access_t *self, const char *peer, const pt_request_t *request,
                    int status, int64_t took_us);

#endif
