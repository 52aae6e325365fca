#include "gateway/http/http.h"

#include "gateway/http/json.h"
#include "gateway/http/token.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

const char *pt_request_header(const pt_request_t *self, const char *name)
{
    for (size_t i = 0; i < self->header_count; i++)
        if (strcasecmp(self->headers[i].name, name) == 0)
            return self->headers[i].value;
    return NULL;
}

/* ---- X-Request-Id ------------------------------------------------------------------------ */

static bool is_visible(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > PT_REQUEST_ID_MAX)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

void pt_request_identify(pt_request_t *self)
{
    const char *given = pt_request_header(self, "X-Request-Id");
    if (given && is_visible(given) && !pt_token_is_within(given)) {
        snprintf(self->id, sizeof self->id, "%s", given);
        return;
    }
    pt_uuid_t made = pt_uuid_random();
    pt_uuid_format(&made, self->id);
}

/* ---- content negotiation ----------------------------------------------------------------- */

/* An item of a list, up to its separator, without the white space around it. */
static size_t next_item(const char **list, char separator, const char **item)
{
    const char *from = *list + strspn(*list, " \t");
    const char *to = strchr(from, separator);
    *list = to ? to + 1 : from + strlen(from);
    if (!to)
        to = *list;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    *item = from;
    return (size_t)(to - from);
}

static bool is_word(const char *item, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(item, word, size) == 0;
}

/* Whether a media range's parameters say q=0, which means: not this one. */
static bool is_excluded(const char *parameters, size_t size)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)(size < 60 ? size : 60), parameters);
    const char *quality = strcasestr(text, "q=");
    return quality && strtod(quality + 2, NULL) <= 0;
}

/* How much the range says about application/json: 0 nothing, 3 by its name. */
static int precision(const char *range, size_t size)
{
    static const struct {
        const char *name;
        int precision;
    } ranges[] = {
        {"*/*", 1}, {"application/*", 2}, {"application/problem+json", 2}, {"application/json", 3}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (is_word(range, size, ranges[i].name))
            return ranges[i].precision;
    return 0;
}

/* A media range of an Accept header: its name, and whether it is wanted. */
typedef struct {
    const char *name;
    size_t size;
    bool wanted;
} range_t;

static range_t next_range(const char **list)
{
    range_t range;
    size_t size = next_item(list, ',', &range.name);
    const char *parameters = memchr(range.name, ';', size);
    range.size = parameters ? (size_t)(parameters - range.name) : size;
    range.wanted =
        !parameters || !is_excluded(parameters, size - (size_t)(parameters - range.name));
    while (range.size > 0 &&
           (range.name[range.size - 1] == ' ' || range.name[range.size - 1] == '\t'))
        range.size--;
    return range;
}

bool pt_request_accepts_json(const pt_request_t *self)
{
    const char *list = pt_request_header(self, "Accept");
    if (!list || !*list)
        return true;
    int best = 0;
    bool accepted = false;
    while (*list) {
        range_t range = next_range(&list);
        int level = precision(range.name, range.size);
        if (level > best) {
            best = level;
            accepted = range.wanted;
        }
    }
    return accepted;
}

bool pt_request_prefers_text(const pt_request_t *self)
{
    const char *list = pt_request_header(self, "Accept");
    bool text = false, json = false;
    while (list && *list) {
        range_t range = next_range(&list);
        text = text || (range.wanted && is_word(range.name, range.size, "text/plain"));
        json = json || (range.wanted && is_word(range.name, range.size, "application/json"));
    }
    return text && !json;
}

/* Whether the range, which may end in a star, has the type in it. */
static bool has_within(const range_t *range, const char *type)
{
    if (is_word(range->name, range->size, "*/*"))
        return true;
    if (range->size > 2 && range->name[range->size - 1] == '*')
        return strncasecmp(range->name, type, range->size - 1) == 0;
    return is_word(range->name, range->size, type);
}

int pt_request_pick(const pt_request_t *self, const char *const *types)
{
    const char *list = pt_request_header(self, "Accept");
    if (!list || !*list)
        return 0;
    while (*list) {
        range_t range = next_range(&list);
        for (int i = 0; range.wanted && types[i]; i++)
            if (has_within(&range, types[i]))
                return i;
    }
    return -1;
}

static bool has_type(const pt_request_t *self, const char *wanted, bool if_not_said)
{
    const char *type = pt_request_header(self, "Content-Type"), *item;
    if (!type || !*type)
        return if_not_said;
    size_t size = next_item(&type, ';', &item);
    return is_word(item, size, wanted);
}

bool pt_request_is_json(const pt_request_t *self)
{
    return has_type(self, "application/json", true);
}

bool pt_request_is_fasta(const pt_request_t *self)
{
    return has_type(self, "text/x-fasta", false);
}

bool pt_request_is_encoded(const pt_request_t *self)
{
    const char *encoding = pt_request_header(self, "Content-Encoding");
    return encoding && *encoding && strcasecmp(encoding, "identity") != 0;
}

/* ---- the answer -------------------------------------------------------------------------- */

void pt_response_take(pt_response_t *self, int status, const char *type, char *body, size_t size)
{
    free(self->body);
    self->status = status;
    self->type = type;
    self->body = body;
    self->size = size;
}

void pt_response_text(pt_response_t *self, int status, const char *type, const char *text,
                      size_t size)
{
    char *copy = malloc(size + 1);
    if (!copy) {
        pt_response_take(self, 500, type, NULL, 0);
        return;
    }
    memcpy(copy, text, size);
    copy[size] = 0;
    pt_response_take(self, status, type, copy, size);
}

void pt_response_row(pt_response_t *self, int status, char *json)
{
    pt_response_take(self, status, "application/json", json, pt_json_squeeze(json, strlen(json)));
}

void pt_response_json(pt_response_t *self, int status, const char *type, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    pt_response_take(self, text ? status : 500, type, text, text ? strlen(text) : 0);
}

void pt_response_header(pt_response_t *self, const char *name, const char *value)
{
    size_t used = strlen(self->headers), room = sizeof self->headers - used;
    int size = snprintf(self->headers + used, room, "%s: %s\r\n", name, value);
    if (size < 0 || (size_t)size >= room)
        self->headers[used] = 0;
}

void pt_response_clear(pt_response_t *self)
{
    free(self->body);
    if (self->large)
        pt_pool_leave_large(self->large, &self->large_of);
    if (self->stream)
        self->stream->destroy(self->stream);
    memset(self, 0, sizeof *self);
}

char *pt_time_iso(int64_t unix_us, char text[PT_TIME_TEXT])
{
    time_t seconds = (time_t)(unix_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t used = strftime(text, PT_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, PT_TIME_TEXT - used, ".%06" PRId64 "+00:00", unix_us % 1000000);
    return text;
}
