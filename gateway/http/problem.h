/* Errors as RFC 9457 asks for them: application/problem+json, one code for each kind.
 *
 * `instance` is the path that was asked for and nothing else, so that the answer for what does not
 * exist and for what belongs to somebody else are the same bytes.
 */
#ifndef PT_PROBLEM_H
#define PT_PROBLEM_H

#include "gateway/http/http.h"

typedef enum {
    PT_INVALID_REQUEST,
    PT_UNAUTHORIZED,
    PT_NOT_FOUND,
    PT_METHOD_NOT_ALLOWED,
    PT_NOT_ACCEPTABLE,
    PT_REQUEST_TIMEOUT,
    PT_CONFLICT,
    PT_NOT_COMPLETED,
    PT_JOB_FAILED,
    PT_TOO_LARGE,
    PT_UNSUPPORTED_TYPE,
    PT_INVALID_SEQUENCE,
    PT_HEADERS_TOO_LARGE,
    PT_INTERNAL,
    PT_UNAVAILABLE,
    PT_BAD_VERSION,
    PT_PROBLEMS
} pt_problem_t;

/* The members that every problem has; more may be added before it is sent. */
json_t *pt_problem_body(const pt_request_t *request, pt_problem_t problem, const char *detail);

/* Makes it the answer, with the headers that belong to its kind. Takes `body`. */
void pt_problem_send(pt_response_t *response, pt_problem_t problem, json_t *body);

/* Both in one. `errors` (taken; NULL or empty: none) is a list of {pointer, message}. */
void pt_problem(const pt_request_t *request, pt_response_t *response, pt_problem_t problem,
                const char *detail, json_t *errors);

/* The database did not answer, or the queue is full: 503, with when to try again. */
void pt_problem_unavailable(const pt_request_t *request, pt_response_t *response);

#endif
