/* Who a request comes from, for the log: the connection's other end, or, where that is a proxy
 * that the operator named, whom this proxy names in X-Forwarded-For. Nobody else's is believed.
 * (The header Forwarded is not read: a proxy that sets only one of the two passes the client's own
 * other one on.)
 */
#ifndef PT_CLIENT_H
#define PT_CLIENT_H

#include "gateway/http/http.h"

#define PT_CLIENT_MAX 46 /* bytes of an address' text, with its end */

typedef struct pt_proxies pt_proxies_t;

/* `text`: addresses and networks, "127.0.0.1 10.0.0.0/8 fd00::/8"; NULL or "": no proxies.
   NULL if a word is none, which is then copied to `wrong`. */
pt_proxies_t *pt_proxies_new(const char *text, char *wrong, size_t size);
void pt_proxies_destroy(pt_proxies_t **self);

/* Writes the client's address. `peer` is the connection's other end. */
void pt_client_address(const pt_proxies_t *self, const char *peer, const pt_header_t *headers,
                       size_t count, char text[PT_CLIENT_MAX]);

#endif
