#include "gateway/http/exchange.h"

#include "gateway/http/deadline.h"
#include "gateway/http/seats.h"
#include "proto/program/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BODY_MS 10000 /* for the whole of a body */
#define LARGE_BODY_MS 30000
#define SEND_MS 30000 /* for the whole of an answer, and as long as this needs: */
#define SEND_BYTES_A_MS 512
#define DISCARD_MS 1000     /* for a body that nobody wants */
#define DISCARD_MAX 65536   /* more is not read for the sake of keeping a connection */
#define LINGER_MAX 16777216 /* bytes still taken after the last answer, so that it is seen */
#define ROOM_MIN 16384      /* for a body at first, and more only as its bytes come */

void pt_exchange_open(pt_exchange_t *self, struct mg_connection *connection, pt_room_t *room,
                      pt_request_t *request)
{
    memset(self, 0, sizeof *self);
    memset(request, 0, sizeof *request);
    self->connection = connection;
    self->bodies = room;
    self->max = PT_BODY_MAX;
    self->info = mg_get_request_info(connection);
    for (int i = 0; i < self->info->num_headers; i++) {
        self->headers[i].name = self->info->http_headers[i].name;
        self->headers[i].value = self->info->http_headers[i].value;
    }
    request->method = self->info->request_method;
    request->path = self->info->local_uri_raw;
    request->query = self->info->query_string;
    request->headers = self->headers;
    request->header_count = (size_t)self->info->num_headers;
    const char *length = pt_request_header(request, "Content-Length");
    const char *expect = pt_request_header(request, "Expect");
    self->declared = pt_request_header(request, "Transfer-Encoding") ? -1
                     : length                                        ? self->info->content_length
                                                                     : 0;
    self->unread = self->declared != 0;
    self->expects = self->unread && expect && strcasecmp(expect, "100-continue") == 0;
    pt_request_identify(request);
}

void pt_exchange_close(pt_exchange_t *self)
{
    atomic_fetch_sub(&self->bodies->taken, self->charged);
    self->charged = 0;
    free(self->body);
    self->body = NULL;
}

/* ---- the head ---------------------------------------------------------------------------- */

static size_t count(const pt_exchange_t *self, const char *name, const char **value)
{
    size_t found = 0;
    for (int i = 0; i < self->info->num_headers; i++)
        if (strcasecmp(self->headers[i].name, name) == 0) {
            *value = self->headers[i].value;
            found++;
        }
    return found;
}

/* civetweb takes "5x" and " 5" and "+5" for a length. */
static bool is_length(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 18 && text[digits] == 0;
}

/* civetweb ends each line's text with a NUL in place of CR and another in place of LF, and takes a
   line that begins with a space, a colon or a byte above 126 for the end of the head. So where a
   line ended in LF alone the next name stands elsewhere, and behind the last header there must be
   the blank line, whose LF is a NUL by now. (Its buffer has room beyond that, see PT_HEAD_MAX.) */
static bool is_well_formed(const struct mg_request_info *info)
{
    const char *end = info->http_version + strlen(info->http_version);
    for (int i = 0; i < info->num_headers; i++) {
        if (info->http_headers[i].name != end + 2)
            return false;
        end = info->http_headers[i].value + strlen(info->http_headers[i].value);
    }
    char blank = info->num_headers > 0 ? '\r' : 0;
    return end[1] == 0 && end[2] == blank && end[3] == 0;
}

/* "Content-Length : 5" is read by some and passed over by others. */
static bool has_space_in_name(const struct mg_request_info *info)
{
    for (int i = 0; i < info->num_headers; i++) {
        const char *end = info->http_headers[i].name + strlen(info->http_headers[i].name);
        if (info->http_headers[i].value > end + 1 && end[1] == 0)
            return true;
    }
    return false;
}

static const char *body_fault(const pt_exchange_t *self)
{
    const char *length = NULL, *encoding = NULL;
    size_t lengths = count(self, "Content-Length", &length);
    size_t encodings = count(self, "Transfer-Encoding", &encoding);
    if (lengths > 1 || encodings > 1)
        return "There is more than one Content-Length or Transfer-Encoding.";
    if (lengths && encodings)
        return "There are both Content-Length and Transfer-Encoding.";
    if (lengths && !is_length(length))
        return "Content-Length is no number.";
    if (encodings && strcasecmp(encoding, "chunked") != 0)
        return "The only Transfer-Encoding is chunked.";
    if (encodings && strcmp(self->info->http_version, "1.1") != 0)
        return "Transfer-Encoding needs HTTP/1.1.";
    return NULL;
}

const char *pt_exchange_fault(const pt_exchange_t *self, pt_problem_t *problem)
{
    const char *ignored;
    size_t hosts = count(self, "Host", &ignored);
    *problem = PT_INVALID_REQUEST;
    if (self->info->num_headers >= MG_MAX_HEADERS) { /* civetweb passes over the rest */
        *problem = PT_HEADERS_TOO_LARGE;
        return "There are more headers than are read.";
    }
    if (!is_well_formed(self->info) || has_space_in_name(self->info))
        return "A header line is not well-formed.";
    if (hosts > 1 || (hosts == 0 && strcmp(self->info->http_version, "1.1") == 0))
        return "There must be one Host header.";
    if (count(self, "Authorization", &ignored) > 1 || count(self, "Content-Type", &ignored) > 1)
        return "A header is there twice.";
    return body_fault(self);
}

/* ---- the body ---------------------------------------------------------------------------- */

static void invite_body(pt_exchange_t *self)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (self->expects)
        mg_write(self->connection, text, sizeof text - 1);
    self->expects = false;
}

static bool refuse(pt_exchange_t *self, const pt_request_t *request, pt_response_t *response,
                   pt_problem_t problem, const char *detail)
{
    self->close = true;
    pt_problem(request, response, problem, detail, NULL);
    return false;
}

void pt_exchange_allow_large(pt_exchange_t *self, pt_room_t *room)
{
    self->bodies = room;
    self->max = PT_BODY_LARGE_MAX;
}

static bool refuse_large(pt_exchange_t *self, const pt_request_t *request, pt_response_t *response)
{
    return refuse(self, request, response, PT_TOO_LARGE,
                  self->max == PT_BODY_MAX ? "A body has at most 1 MiB."
                                           : "A body has at most 8 MiB here.");
}

/* Makes the buffer larger, within what all bodies together may take. The first step is free, so
   that bodies of a common size are read however many large ones come. */
static bool grow(pt_exchange_t *self, size_t room)
{
    long long more = (long long)room - ROOM_MIN - self->charged;
    self->charged += more;
    if (atomic_fetch_add(&self->bodies->taken, more) + more > self->bodies->max && more > 0)
        return false;
    char *body = realloc(self->body, room + 1);
    if (body)
        self->body = body;
    return body != NULL;
}

typedef enum { WHOLE, TOO_LARGE, NO_ROOM, LATE, MALFORMED } body_outcome_t;

/* civetweb says -1 for chunks that are none and for a client that went away alike. */
static body_outcome_t why_incomplete(const pt_exchange_t *self, int got)
{
    bool late = pt_deadline_is_over() || pt_seat_was_ended();
    return got < 0 && self->declared < 0 && !late ? MALFORMED : LATE;
}

/* Reads up to one byte more than is allowed, so that it is seen that there is more. */
static body_outcome_t read_body(pt_exchange_t *self, size_t *size)
{
    size_t max = (size_t)self->max;
    size_t end = self->declared < 0 ? max + 1 : (size_t)self->declared;
    size_t room = ROOM_MIN;
    int got = 1;
    for (*size = 0; *size < end && got > 0;) {
        if (!grow(self, room))
            return NO_ROOM;
        size_t upto = room < end ? room : end;
        while (*size < upto &&
               (got = mg_read(self->connection, self->body + *size, upto - *size)) > 0)
            *size += (size_t)got;
        room = room * 4 > max ? max + 1 : room * 4;
    }
    if (*size > max)
        return TOO_LARGE;
    if (got < 0 || (self->declared >= 0 && *size < end))
        return why_incomplete(self, got);
    return WHOLE;
}

static bool refuse_incomplete(pt_exchange_t *self, const pt_request_t *request,
                              pt_response_t *response, body_outcome_t outcome)
{
    switch (outcome) {
    case TOO_LARGE:
        return refuse_large(self, request, response);
    case NO_ROOM:
        refuse(self, request, response, PT_UNAVAILABLE,
               "Too many large bodies are being read at this moment. Try again.");
        return false;
    case MALFORMED:
        return refuse(self, request, response, PT_INVALID_REQUEST,
                      "The body's chunks are not well-formed.");
    default:
        return refuse(self, request, response, PT_REQUEST_TIMEOUT,
                      "The body was not complete in time.");
    }
}

bool pt_exchange_read(pt_exchange_t *self, pt_request_t *request, pt_response_t *response)
{
    if (!self->unread)
        return true;
    if (self->declared > self->max)
        return refuse_large(self, request, response);
    invite_body(self);
    size_t size;
    pt_seat_phase(PT_SEAT_BODY, self->max > PT_BODY_MAX ? LARGE_BODY_MS : BODY_MS);
    body_outcome_t outcome = read_body(self, &size);
    pt_seat_phase(PT_SEAT_WORK, 0);
    if (outcome != WHOLE)
        return refuse_incomplete(self, request, response, outcome);
    self->unread = false;
    self->close |= self->declared < 0; /* what follows chunks is not looked at */
    self->body[size] = 0;
    request->body = self->body;
    request->body_size = size;
    return true;
}

/* Reads up to `max` bytes of a body that nobody wants; true if nothing more was to come. */
static bool discard(pt_exchange_t *self, long long max)
{
    char buffer[16384];
    int got = 1;
    pt_seat_phase(PT_SEAT_DISCARD, DISCARD_MS);
    while (max > 0 && got > 0) {
        got = mg_read(self->connection, buffer, sizeof buffer);
        max -= got;
    }
    pt_seat_phase(PT_SEAT_WORK, 0);
    return got == 0;
}

/* A short body is read past for the sake of the connection; it must have come anyway. */
static bool pass_over(pt_exchange_t *self)
{
    if (self->expects || self->declared < 0 || self->declared > DISCARD_MAX)
        return false;
    self->unread = !discard(self, self->declared + 1);
    return !self->unread;
}

/* ---- the answer -------------------------------------------------------------------------- */

static void format_date(char text[40])
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, 40, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

/* How the client knows where the body ends. In HTTP/1.0 a stream ends with the connection. */
static void format_length(char text[64], const pt_response_t *response, bool chunks)
{
    if (!response->stream)
        snprintf(text, 64, "Content-Length: %zu\r\n", response->size);
    else
        snprintf(text, 64, "%s", chunks ? "Transfer-Encoding: chunked\r\n" : "");
}

static int format_head(char *head, size_t room, const pt_request_t *request,
                       const pt_response_t *response, bool chunks)
{
    char date[40], length[64];
    format_date(date);
    format_length(length, response, chunks);
    return snprintf(head, room,
                    "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n%s"
                    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                    "X-Request-Id: %s\r\n%sConnection: %s\r\n\r\n",
                    response->status, mg_get_response_code_text(NULL, response->status), date,
                    response->type, length, request->id, response->headers,
                    response->close ? "close" : "keep-alive");
}

static bool is_head(const pt_request_t *request)
{
    return request->method && strcmp(request->method, "HEAD") == 0;
}

/* Head and body in one write: one packet, and nothing waits for an acknowledgement. */
static void write_answer(struct mg_connection *connection, const pt_request_t *request,
                         const pt_response_t *response)
{
    char small[4096], *all = small;
    size_t body = is_head(request) ? 0 : response->size;
    int head = format_head(small, sizeof small, request, response, false);
    if (head < 0 || (size_t)head >= sizeof small)
        return; /* all parts are bounded: cannot be */
    pt_seat_phase(PT_SEAT_ANSWER, SEND_MS + (int)(body / SEND_BYTES_A_MS));
    if (body > PT_LARGE_ANSWER) { /* not once more in memory */
        if (mg_write(connection, small, (size_t)head) > 0)
            mg_write(connection, response->body, body);
        pt_seat_phase(PT_SEAT_WORK, 0);
        return;
    }
    if ((size_t)head + body > sizeof small) {
        all = malloc((size_t)head + body);
        if (!all)
            return;
        memcpy(all, small, (size_t)head);
    }
    if (body > 0)
        memcpy(all + head, response->body, body);
    mg_write(connection, all, (size_t)head + body);
    pt_seat_phase(PT_SEAT_WORK, 0);
    if (all != small)
        free(all);
}

/* One piece, within its own time: who reads slowly is waited for, who does not read is not. */
static bool write_piece(struct mg_connection *connection, const char *piece, size_t size,
                        bool chunks)
{
    char length[24];
    int digits = snprintf(length, sizeof length, "%zx\r\n", size);
    pt_seat_phase(PT_SEAT_ANSWER, SEND_MS + (int)(size / SEND_BYTES_A_MS));
    bool sent = (!chunks || mg_write(connection, length, (size_t)digits) == digits) &&
                (size == 0 || mg_write(connection, piece, size) == (int)size) &&
                (!chunks || mg_write(connection, "\r\n", 2) == 2);
    pt_seat_phase(PT_SEAT_WORK, 0);
    return sent;
}

/* False: the client has not got all of it, and must see that. */
static bool write_stream(struct mg_connection *connection, const pt_request_t *request,
                         const pt_response_t *response, bool chunks)
{
    char head[4096];
    const char *piece;
    size_t size;
    int length = format_head(head, sizeof head, request, response, chunks);
    if (length < 0 || (size_t)length >= sizeof head)
        return false; /* all parts are bounded: cannot be */
    pt_seat_phase(PT_SEAT_ANSWER, SEND_MS);
    bool sent = mg_write(connection, head, (size_t)length) == length;
    pt_seat_phase(PT_SEAT_WORK, 0);
    while (sent && !is_head(request)) {
        if (!response->stream->next(response->stream, &piece, &size))
            return false;
        if (size == 0)
            return !chunks || write_piece(connection, NULL, 0, true);
        sent = write_piece(connection, piece, size, chunks);
    }
    return sent;
}

static bool client_closes(const pt_exchange_t *self)
{
    const char *connection = NULL;
    if (count(self, "Connection", &connection) > 0)
        return strcasestr(connection, "keep-alive") == NULL;
    return strcmp(self->info->http_version, "1.1") != 0;
}

void pt_exchange_send(pt_exchange_t *self, const pt_request_t *request, pt_response_t *response)
{
    bool chunks = response->stream && strcmp(self->info->http_version, "1.1") == 0;
    response->close |= self->close || client_closes(self) || (response->stream && !chunks);
    if (self->unread && !response->close)
        response->close = !pass_over(self);
    if (response->close)
        mg_disable_connection_keep_alive(self->connection);
    if (!response->stream)
        write_answer(self->connection, request, response);
    else if (!write_stream(self->connection, request, response, chunks))
        mg_disable_connection_keep_alive(self->connection);
    /* Closing while bytes are unread resets the connection, and takes the answer with it. */
    if (response->close && self->unread && !self->expects)
        discard(self, LINGER_MAX);
}

int pt_exchange_reject(struct mg_connection *connection, int status)
{
    pt_request_t request = {.path = NULL};
    pt_response_t response = {.status = 0};
    pt_request_identify(&request);
    pt_problem_t problem = status == 505   ? PT_BAD_VERSION
                           : status == 413 ? PT_HEADERS_TOO_LARGE
                           : status >= 500 ? PT_INTERNAL
                                           : PT_INVALID_REQUEST;
    pt_problem(&request, &response, problem,
               problem == PT_INTERNAL
                   ? NULL
                   : "The request's head is not well-formed, too large, or did not come in time.",
               NULL);
    response.close = true;
    mg_disable_connection_keep_alive(connection);
    write_answer(connection, &request, &response);
    status = response.status;
    pt_response_clear(&response);
    return status;
}
