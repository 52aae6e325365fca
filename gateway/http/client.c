#include "gateway/http/client.h"

#include <arpa/inet.h>
#include <czmq.h>

#define PROXIES_MAX 64

/* IPv4 as ::ffff:a.b.c.d, so that there is one kind. */
typedef struct {
    unsigned char bytes[16];
} address_t;

typedef struct {
    address_t address;
    unsigned bits; /* of 128 */
} network_t;

struct pt_proxies {
    network_t networks[PROXIES_MAX];
    size_t count;
};

/* ---- addresses --------------------------------------------------------------------------- */

static const unsigned char v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const address_t *self)
{
    return memcmp(self->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

static bool address_parse(address_t *self, const char *text)
{
    memcpy(self->bytes, v4_prefix, sizeof v4_prefix);
    return inet_pton(AF_INET, text, self->bytes + sizeof v4_prefix) == 1 ||
           inet_pton(AF_INET6, text, self->bytes) == 1;
}

static void address_text(const address_t *self, char text[PT_CLIENT_MAX])
{
    if (is_v4(self))
        inet_ntop(AF_INET, self->bytes + sizeof v4_prefix, text, PT_CLIENT_MAX);
    else
        inet_ntop(AF_INET6, self->bytes, text, PT_CLIENT_MAX);
}

static bool network_parse(network_t *self, char *word)
{
    char *slash = strchr(word, '/');
    if (slash)
        *slash = 0;
    bool good = address_parse(&self->address, word);
    unsigned most = good && is_v4(&self->address) ? 32 : 128;
    char *end = NULL;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : most;
    if (slash) {
        good = good && isdigit((unsigned char)slash[1]) && *end == 0 && bits <= most;
        *slash = '/';
    }
    self->bits = (unsigned)bits + 128 - most;
    return good;
}

static bool network_has(const network_t *self, const address_t *address)
{
    unsigned whole = self->bits / 8, rest = self->bits % 8;
    unsigned char mask = (unsigned char)(0xff00 >> rest);
    return memcmp(self->address.bytes, address->bytes, whole) == 0 &&
           (rest == 0 || ((self->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0);
}

/* ---- proxies ----------------------------------------------------------------------------- */

pt_proxies_t *pt_proxies_new(const char *text, char *wrong, size_t size)
{
    pt_proxies_t *self = zmalloc(sizeof *self);
    char word[PT_CLIENT_MAX + 4];
    size_t length;
    for (text = text ? text : ""; *(text += strspn(text, " ")); text += length) {
        length = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (length >= sizeof word || self->count == PROXIES_MAX ||
            !network_parse(&self->networks[self->count++], word)) {
            snprintf(wrong, size, "%s", word);
            pt_proxies_destroy(&self);
            return NULL;
        }
    }
    return self;
}

void pt_proxies_destroy(pt_proxies_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static bool is_proxy(const pt_proxies_t *self, const address_t *address)
{
    for (size_t i = 0; i < self->count; i++)
        if (network_has(&self->networks[i], address))
            return true;
    return false;
}

/* ---- the client -------------------------------------------------------------------------- */

/* The last entry of a list that ends at `*end`, which then moves before it; false: none is left. */
static bool last_entry(const char *list, size_t *end, char text[PT_CLIENT_MAX])
{
    static const char blank[] = " \t";
    size_t stop = *end, start;
    if (stop == 0)
        return false;
    for (start = stop; start > 0 && list[start - 1] != ',';)
        start--;
    *end = start > 0 ? start - 1 : 0;
    start += strspn(list + start, blank);
    while (stop > start && strchr(blank, list[stop - 1]))
        stop--;
    size_t size = stop > start ? stop - start : 0;
    snprintf(text, PT_CLIENT_MAX, "%.*s", (int)(size < PT_CLIENT_MAX ? size : 0), list + start);
    return true;
}

/* Follows a list from its end for as long as each entry is named by a proxy; false: it is done. */
static bool follow(const pt_proxies_t *self, const char *list, address_t *client)
{
    char text[PT_CLIENT_MAX];
    address_t next;
    for (size_t end = strlen(list); last_entry(list, &end, text);) {
        if (!address_parse(&next, text))
            return false;
        *client = next;
        if (!is_proxy(self, client))
            return false;
    }
    return true;
}

void pt_client_address(const pt_proxies_t *self, const char *peer, const pt_header_t *headers,
                       size_t count, char text[PT_CLIENT_MAX])
{
    address_t client;
    snprintf(text, PT_CLIENT_MAX, "%s", peer);
    if (!address_parse(&client, peer) || !is_proxy(self, &client))
        return;
    for (size_t i = count; i-- > 0;)
        if (strcasecmp(headers[i].name, "X-Forwarded-For") == 0 &&
            !follow(self, headers[i].value, &client))
            break;
    address_text(&client, text);
}
