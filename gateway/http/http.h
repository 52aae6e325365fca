/* A request and its answer as handlers see them: no socket, no civetweb. */
#ifndef PT_HTTP_H
#define PT_HTTP_H

#include "gateway/api/resources.h"
#include "gateway/gateway.h"
#include "gateway/results/files.h"

#include <jansson.h>

#define PT_BODY_MAX 1048576       /* bytes; a larger body is 413 before it is read whole, unless: */
#define PT_BODY_LARGE_MAX 8388608 /* on routes for large bodies */
#define PT_MEDIA_TYPE_MAX 128
#define PT_READ_MS 3000   /* deadline of a statement that a handler waits for */
#define PT_SUBMIT_MS 5000 /* how long a handler waits for the committer */

typedef struct pt_auth pt_auth_t;
typedef struct pt_metrics pt_metrics_t;
typedef struct pt_route pt_route_t;

/* What every handler may use. All borrowed. */
typedef struct {
    const pt_gateway_t *gateway;
    pt_auth_t *auth;
    pt_metrics_t *metrics;
} pt_http_t;

typedef struct {
    const char *name, *value;
} pt_header_t;

/* Who asks. */
typedef struct {
    pt_uuid_t token_id, org_id;
    int weight; /* turns of the organisation in a round */
} pt_caller_t;

/* Everything is borrowed from the connection for as long as the request is handled. */
typedef struct {
    const char *method, *path;
    const char *query; /* what follows '?', or NULL */
    const pt_header_t *headers;
    size_t header_count;
    char id[PT_REQUEST_ID_MAX + 1];  /* X-Request-Id, the client's or ours */
    const pt_route_t *route;         /* NULL: none fits */
    pt_uuid_t argument;              /* the {id} of the path */
    const pt_resource_t *resource;   /* its {resource}, or NULL */
    char job_type[PT_TYPE_MAX];      /* its {job_type}, or empty */
    char name[PT_FILE_NAME_MAX + 1]; /* its {name}, or empty */
    pt_caller_t caller;              /* on routes that ask for a token */
    const char *body;
    size_t body_size;
} pt_request_t;

/* A body that is made while it is sent. */
typedef struct pt_stream pt_stream_t;
struct pt_stream {
    /* The next piece, borrowed until the next call; size 0 is the end. False: it broke off, and so
       does the connection, so that the client sees it. */
    bool (*next)(pt_stream_t *self, const char **piece, size_t *size);
    void (*destroy)(pt_stream_t *self);
};

typedef struct {
    int status;
    const char *type; /* Content-Type; borrowed, a literal or `own_type` */
    char own_type[PT_MEDIA_TYPE_MAX];
    char *body; /* owned */
    size_t size;
    char headers[512];   /* further lines, each ended by CRLF */
    bool close;          /* nothing more is read from this connection */
    pt_pool_t *large;    /* whose pt_pool_leave_large is called when the body is freed; or NULL */
    pt_uuid_t large_of;  /* the organisation whose turn that is */
    pt_stream_t *stream; /* instead of a body; owned, or NULL */
} pt_response_t;

typedef void (*pt_handler_t)(const pt_http_t *http, const pt_request_t *request,
                             pt_response_t *response);

/* The first header of that name, or NULL. Names are compared without case. */
const char *pt_request_header(const pt_request_t *self, const char *name);

/* Takes over the client's X-Request-Id (1 to 128 visible ASCII characters, and no token among them,
   since it is logged), else makes one. */
void pt_request_identify(pt_request_t *self);

/* Whether the Accept header allows JSON as an answer. */
bool pt_request_accepts_json(const pt_request_t *self);

/* Whether the Accept header names text/plain, and does not name JSON. */
bool pt_request_prefers_text(const pt_request_t *self);

/* The place in `types` (ended by NULL) of the one that the Accept header names first; 0 if it has
   none; -1 if it allows none of them. */
int pt_request_pick(const pt_request_t *self, const char *const *types);

/* Whether the body's Content-Type is JSON, or not said. */
bool pt_request_is_json(const pt_request_t *self);

/* Whether the body's Content-Type is text/x-fasta. */
bool pt_request_is_fasta(const pt_request_t *self);

/* Whether the body was compressed or otherwise encoded. */
bool pt_request_is_encoded(const pt_request_t *self);

/* Copies the body. */
void pt_response_text(pt_response_t *self, int status, const char *type, const char *text,
                      size_t size);
/* Takes the body. */
void pt_response_take(pt_response_t *self, int status, const char *type, char *body, size_t size);
/* Takes JSON as the database wrote it, whose white space goes. */
void pt_response_row(pt_response_t *self, int status, char *json);
/* Takes `value`; NULL stands for memory that ran out and becomes an empty 500. */
void pt_response_json(pt_response_t *self, int status, const char *type, json_t *value);
/* Adds a line. `value` must have no control characters; one that does not fit is left out. */
void pt_response_header(pt_response_t *self, const char *name, const char *value);
void pt_response_clear(pt_response_t *self);

/* Writes microseconds since 1970 as 2026-01-31T12:00:00.000000+00:00. */
#define PT_TIME_TEXT 40
char *pt_time_iso(int64_t unix_us, char text[PT_TIME_TEXT]);

#endif
