/* The one table of what is served: method, path, handler. 405 and its Allow come from it, and so
   will the OpenAPI document. */
#ifndef PT_ROUTES_H
#define PT_ROUTES_H

#include "gateway/http/http.h"

typedef enum {
    PT_ROUTE_OPEN = 1,     /* asks for no token */
    PT_ROUTE_HEALTH = 2,   /* served on the listener for health as well */
    PT_ROUTE_BODY = 4,     /* takes a JSON body */
    PT_ROUTE_TEXT = 8,     /* answers with plain text too, if asked */
    PT_ROUTE_FORMATS = 16, /* its handler looks at Accept */
    PT_ROUTE_FASTA = 32,   /* takes FASTA as a body too */
    PT_ROUTE_LARGE = 64    /* takes a body of up to PT_BODY_LARGE_MAX */
} pt_route_flags_t;

struct pt_route {
    const char *method;
    const char *pattern; /* "/v1/jobs/{id}": one segment, a UUID. {resource} is one of resources.h,
                            {job_type} a job type, {name} a file's name */
    pt_handler_t handler;
    unsigned flags;
    const char *summary;
};

extern const pt_route_t pt_routes[];
extern const size_t pt_route_count;

typedef enum {
    PT_ROUTE_FOUND,
    PT_ROUTE_NO_PATH,
    PT_ROUTE_NO_METHOD /* the path is there, under other methods */
} pt_route_outcome_t;

/* What stands for the holes of a pattern, borrowed from the path; NULL where it has none. */
typedef struct {
    const char *id, *job_type, *name;
    size_t id_size, job_type_size, name_size;
    const pt_resource_t *resource;
} pt_route_holes_t;

typedef struct {
    const pt_route_t *route;
    pt_route_holes_t holes;
    char allow[64]; /* for PT_ROUTE_NO_METHOD: "GET, HEAD, POST" */
} pt_route_match_t;

/* HEAD finds the route of GET. Paths are compared byte by byte, as they came. */
pt_route_outcome_t pt_route_find(const char *method, const char *path, pt_route_match_t *match);

#endif
