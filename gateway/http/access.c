#include "gateway/http/access.h"

#include "gateway/api/routes.h"
#include "proto/program/log.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_LOGGED 256 /* bytes; a line of the log has room for it and all else */
#define RUN_MAX_LOGGED 20   /* letters and digits: a UUID has fewer, a token more */

bool pt_access_init(pt_access_t *self, bool every, const char *proxies)
{
    char wrong[64];
    self->every = every;
    self->proxies = pt_proxies_new(proxies, wrong, sizeof wrong);
    if (!self->proxies)
        pt_log(PT_ERROR, "trusted proxies are addresses and networks, as in 127.0.0.1 10.0.0.0/8",
               PT_S("wrong", wrong));
    return self->proxies != NULL;
}

void pt_access_clear(pt_access_t *self)
{
    if (self->proxies)
        pt_proxies_destroy(&self->proxies);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Each long run of letters and digits becomes a star: a path may be anything that somebody typed,
   and neither a token nor a sequence may stand in a log. */
static void hide_secrets(char *path)
{
    char *to = path;
    for (const char *from = path; *from;) {
        size_t run = strspn(from, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        if (run > RUN_MAX_LOGGED)
            *to++ = '*';
        else
            memmove(to, from, run), to += run;
        from += run;
        if (*from)
            *to++ = *from++;
    }
    *to = 0;
}

/* A long path is cut, between two characters where it is UTF-8. */
static const char *shorten(const char *path, char text[PATH_MAX_LOGGED + 1])
{
    size_t size = strlen(or_empty(path));
    if (size > PATH_MAX_LOGGED)
        for (size = PATH_MAX_LOGGED; size > 0 && ((unsigned char)path[size] & 0xc0) == 0x80;)
            size--;
    snprintf(text, PATH_MAX_LOGGED + 1, "%.*s", (int)size, or_empty(path));
    hide_secrets(text);
    return text;
}

void pt_access_note(const pt_access_t *self, const char *peer, const pt_request_t *request,
                    int status, int64_t took_us)
{
    bool health = request->route && (request->route->flags & PT_ROUTE_HEALTH);
    bool failed = status >= 500 && request->route;
    if (health || (!failed && !self->every))
        return;
    char client[PT_CLIENT_MAX], path[PATH_MAX_LOGGED + 1];
    pt_client_address(self->proxies, peer, request->headers, request->header_count, client);
    pt_log(failed ? PT_WARNING : PT_INFO, failed ? "request failed" : "request",
           PT_S("client", client), PT_S("method", or_empty(request->method)),
           PT_S("path", shorten(request->path, path)),
           PT_S("route", request->route ? request->route->pattern : ""), PT_N("status", status),
           PT_N("ms", took_us / 1000), PT_S("request_id", request->id));
}
