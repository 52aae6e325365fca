/* Who asks: tokens by their hash, from the database or from a bounded cache.
 *
 * What is cached is good only while the generation of tokens is the one that was read before the
 * database was asked, and while the control connection, which hears of changes, answered within the
 * last 500 ms. So a revoked token is refused within a second, also when that connection is cut.
 */
#ifndef PT_AUTH_H
#define PT_AUTH_H

#include "gateway/http/http.h"

typedef enum {
    PT_AUTH_KNOWN,
    PT_AUTH_REFUSED,    /* none, malformed, unknown or revoked: the answer tells no difference */
    PT_AUTH_UNAVAILABLE /* the database does not answer */
} pt_auth_outcome_t;

pt_auth_t *pt_auth_new(const pt_gateway_t *gateway);
void pt_auth_destroy(pt_auth_t **self);

/* `authorization` is the header's value or NULL. From any thread. */
pt_auth_outcome_t pt_auth_check(pt_auth_t *self, const char *authorization, pt_caller_t *caller);

#endif
