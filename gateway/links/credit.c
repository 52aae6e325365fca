#include "gateway/links/credit.h"

#include <string.h>

void pt_credit_open(pt_credit_t *self, int link, const uint8_t session[PT_SESSION_SIZE])
{
    memset(&self->links[link], 0, sizeof self->links[link]);
    self->links[link].open = true;
    memcpy(self->links[link].session, session, PT_SESSION_SIZE);
}

void pt_credit_close(pt_credit_t *self, int link)
{
    self->links[link].open = false;
}

bool pt_credit_grant(pt_credit_t *self, int link, const pt_counts_t *credit)
{
    pt_counts_t *granted = &self->links[link].granted;
    bool grew = false;
    for (size_t i = 0; i < credit->count; i++) {
        const char *job_type = credit->items[i].job_type;
        if (credit->items[i].n > pt_counts_get(granted, job_type)) {
            pt_counts_set(granted, job_type, credit->items[i].n);
            grew = true;
        }
    }
    return grew;
}

static bool same(const pt_counts_t *a, const pt_counts_t *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (pt_counts_get(b, a->items[i].job_type) != a->items[i].n)
            return false;
    return true;
}

bool pt_credit_serve(pt_credit_t *self, int link, const pt_counts_t *slots)
{
    bool changed = !self->links[link].says_slots || !same(&self->links[link].slots, slots);
    self->links[link].says_slots = true;
    self->links[link].slots = *slots;
    return changed;
}

static uint64_t slots_of(const pt_counts_t *slots, const char *job_type)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < slots->count; i++)
        if (!job_type || strcmp(slots->items[i].job_type, job_type) == 0)
            sum += slots->items[i].n;
    return sum;
}

int64_t pt_credit_slots(const pt_credit_t *self, const char *job_type)
{
    uint64_t sum = 0;
    bool known = false, unknown = false;
    for (int link = 0; link < PT_LINKS_MAX; link++) {
        bool says = self->links[link].open && self->links[link].says_slots;
        known = known || says;
        unknown = unknown || (self->links[link].open && !says);
        sum += says ? slots_of(&self->links[link].slots, job_type) : 0;
    }
    return sum > 0 ? (int64_t)sum : known && !unknown ? 0 : -1;
}

/* It had workers of the type, and has none now. */
static bool is_deserted(const pt_counts_t *slots, const char *job_type)
{
    for (size_t i = 0; i < slots->count; i++)
        if (strcmp(slots->items[i].job_type, job_type) == 0)
            return slots->items[i].n == 0;
    return false;
}

static uint64_t room(const pt_credit_t *self, int link, const char *job_type)
{
    if (!self->links[link].open || is_deserted(&self->links[link].slots, job_type))
        return 0;
    uint64_t granted = pt_counts_get(&self->links[link].granted, job_type);
    uint64_t taken = pt_counts_get(&self->links[link].taken, job_type);
    return granted > taken ? granted - taken : 0;
}

uint64_t pt_credit_free(const pt_credit_t *self, const char *job_type)
{
    uint64_t sum = 0;
    for (int link = 0; link < PT_LINKS_MAX; link++)
        sum += room(self, link, job_type);
    return sum;
}

uint64_t pt_credit_spare(const pt_credit_t *self, const char *job_type)
{
    uint64_t free = pt_credit_free(self, job_type);
    return free > PT_CREDIT_KEPT ? free - PT_CREDIT_KEPT : 0;
}

static void take(pt_credit_t *self, int link, const char *job_type, int64_t n)
{
    pt_counts_t *taken = &self->links[link].taken;
    pt_counts_set(taken, job_type, (uint64_t)((int64_t)pt_counts_get(taken, job_type) + n));
}

pt_ticket_t pt_credit_reserve(pt_credit_t *self, const char *job_type)
{
    pt_ticket_t ticket = {.link = -1};
    uint64_t most = 0;
    for (int link = 0; link < PT_LINKS_MAX; link++)
        if (room(self, link, job_type) > most) {
            most = room(self, link, job_type);
            ticket.link = link;
        }
    if (ticket.link >= 0) {
        memcpy(ticket.session, self->links[ticket.link].session, PT_SESSION_SIZE);
        take(self, ticket.link, job_type, 1);
    }
    return ticket;
}

bool pt_credit_valid(const pt_credit_t *self, const pt_ticket_t *ticket)
{
    return ticket->link >= 0 && self->links[ticket->link].open &&
           memcmp(self->links[ticket->link].session, ticket->session, PT_SESSION_SIZE) == 0;
}

void pt_credit_release(pt_credit_t *self, const pt_ticket_t *ticket, const char *job_type)
{
    if (pt_credit_valid(self, ticket))
        take(self, ticket->link, job_type, -1);
}

const char *pt_credit_type(const pt_credit_t *self, size_t n)
{
    for (int link = 0; link < PT_LINKS_MAX; link++)
        for (size_t i = 0; i < self->links[link].granted.count; i++) {
            const char *job_type = self->links[link].granted.items[i].job_type;
            bool seen = false; /* at a broker before this one */
            for (int before = 0; before < link && !seen; before++)
                for (size_t k = 0; k < self->links[before].granted.count && !seen; k++)
                    seen = strcmp(self->links[before].granted.items[k].job_type, job_type) == 0;
            if (!seen && n-- == 0)
                return job_type;
        }
    return NULL;
}
