/* What the brokers allow this gateway to send, pure. Credit is absolute within a session: how many
 * jobs of a type may have been sent since hello. A job reserves its place before it is committed.
 */
#ifndef PT_CREDIT_H
#define PT_CREDIT_H

#include "proto/message.h"

#define PT_LINKS_MAX 16
#define PT_CREDIT_KEPT 4

/* A place at a broker. It is worth nothing once that session has ended. */
typedef struct {
    int link; /* -1: none */
    uint8_t session[PT_SESSION_SIZE];
} pt_ticket_t;

typedef struct {
    struct {
        bool open;
        uint8_t session[PT_SESSION_SIZE];
        pt_counts_t granted, taken; /* taken: sent or reserved */
        bool says_slots;            /* it told whom it serves: */
        pt_counts_t slots;
    } links[PT_LINKS_MAX];
} pt_credit_t;

void pt_credit_open(pt_credit_t *self, int link, const uint8_t session[PT_SESSION_SIZE]);
void pt_credit_close(pt_credit_t *self, int link);

/* The broker's newest numbers; a smaller one than before changes nothing. True if anything grew. */
bool pt_credit_grant(pt_credit_t *self, int link, const pt_counts_t *credit);

/* The slots of the broker's workers, as its beat tells them; true if one is another than before.
   Credit for a type with none is not used: its workers have gone, and would have to come back. */
bool pt_credit_serve(pt_credit_t *self, int link, const pt_counts_t *slots);

/* The slots for the type over all brokers (NULL: of any type); -1: a broker, or all, did not say.
 */
int64_t pt_credit_slots(const pt_credit_t *self, const char *job_type);

/* How many more jobs of the type may be sent now, over all brokers. */
uint64_t pt_credit_free(const pt_credit_t *self, const char *job_type);

/* How many of those a backlog may take: PT_CREDIT_KEPT are left for organisations with none, whose
   new jobs then wait at the broker alone, where they take turns with what it has. */
uint64_t pt_credit_spare(const pt_credit_t *self, const char *job_type);

/* Takes a place at the broker with most room; .link is -1 if there is none. */
pt_ticket_t pt_credit_reserve(pt_credit_t *self, const char *job_type);

/* Gives a place back that was not used. */
void pt_credit_release(pt_credit_t *self, const pt_ticket_t *ticket, const char *job_type);

/* Whether the ticket's session still stands. */
bool pt_credit_valid(const pt_credit_t *self, const pt_ticket_t *ticket);

/* The n-th job type that any broker named; NULL after the last. */
const char *pt_credit_type(const pt_credit_t *self, size_t n);

#endif
