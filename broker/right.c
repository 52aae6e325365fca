#include "broker/right.h"

#include "proto/topic.h"

#include <stdio.h>
#include <string.h>

static const char *const roles[PT_ROLES] = {"gateway", "worker", "subscriber"};
static const char *const doors[PT_DOORS] = {"gateways", "workers", "events-in", "events"};

const char *pt_role_name(pt_role_t role)
{
    return roles[role];
}

const char *pt_door_name(pt_door_t door)
{
    return doors[door];
}

/* ---- reading ----------------------------------------------------------------------------- */

static const char *read_types(pt_right_t *self, const char *text)
{
    if (strcmp(text, "*") == 0) {
        self->all = true;
        return NULL;
    }
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t size = strcspn(text, " ");
        if (!pt_job_type_valid(text, size))
            return "job_types (--job-types) are words of a-z, 0-9 and _, or '*' alone for all";
        if (self->type_count == PT_TYPES_MAX)
            return "job_types (--job-types) has more than 64 job types";
        memcpy(self->types[self->type_count++], text, size);
        text += size;
    }
    return self->type_count > 0 ? NULL : "job_types (--job-types) is empty; '*' stands for all";
}

static const char *read_org(pt_right_t *self, const char *text)
{
    self->all = strcmp(text, "*") == 0;
    return self->all || pt_uuid_parse(&self->org, text, strlen(text))
               ? NULL
               : "org (--org) is no UUID, nor '*' for all";
}

static const char *read_role(pt_right_t *self, const char *role)
{
    for (int i = 0; i < PT_ROLES; i++)
        if (strcmp(role, roles[i]) == 0) {
            self->role = (pt_role_t)i;
            return NULL;
        }
    return "role is none of gateway, worker and subscriber";
}

const char *pt_right_read(pt_right_t *self, const char *role, const char *job_types,
                          const char *org)
{
    memset(self, 0, sizeof *self);
    const char *why = role ? read_role(self, role) : "role is missing";
    if (why)
        return why;
    if (job_types && self->role != PT_ROLE_WORKER)
        return "job_types (--job-types) is for workers only";
    if (org && self->role != PT_ROLE_SUBSCRIBER)
        return "org (--org) is for subscribers only";
    if (self->role == PT_ROLE_WORKER)
        return job_types ? read_types(self, job_types)
                         : "a worker needs job_types: --job-types 'TYPE …', or '*' for all";
    if (self->role == PT_ROLE_SUBSCRIBER)
        return org ? read_org(self, org) : "a subscriber needs org: --org ID, or '*' for all";
    return NULL;
}

bool pt_right_equal(const pt_right_t *a, const pt_right_t *b)
{
    bool same = a->role == b->role && a->all == b->all && a->type_count == b->type_count &&
                pt_uuid_equal(&a->org, &b->org);
    for (size_t i = 0; same && i < a->type_count; i++)
        same = strcmp(a->types[i], b->types[i]) == 0;
    return same;
}

/* ---- the rules --------------------------------------------------------------------------- */

const char *pt_right_enter(const pt_right_t *self, pt_door_t door)
{
    static const bool open[PT_ROLES][PT_DOORS] = {
        [PT_ROLE_GATEWAY] =
            {[PT_DOOR_GATEWAYS] = true, [PT_DOOR_EVENTS_IN] = true, [PT_DOOR_EVENTS] = true},
        [PT_ROLE_WORKER] = {[PT_DOOR_WORKERS] = true, [PT_DOOR_EVENTS_IN] = true},
        [PT_ROLE_SUBSCRIBER] = {[PT_DOOR_EVENTS] = true},
    };
    return open[self->role][door] ? NULL : "this role has no business on this socket";
}

static bool may_type(const pt_right_t *self, const char *job_type)
{
    bool found = self->all;
    for (size_t i = 0; i < self->type_count && !found; i++)
        found = strcmp(self->types[i], job_type) == 0;
    return found;
}

static bool may_counts(const pt_right_t *self, const pt_counts_t *counts)
{
    for (size_t i = 0; i < counts->count; i++)
        if (!may_type(self, counts->items[i].job_type))
            return false;
    return true;
}

static bool may_refs(const pt_right_t *self, const pt_refs_t *refs)
{
    for (size_t i = 0; i < refs->count; i++)
        if (!may_type(self, refs->items[i].job_type))
            return false;
    return true;
}

static const char other_type[] = "the certificate is for other job types";
static const char other_role[] = "the certificate is for another role";

const char *pt_right_job(const pt_right_t *self, pt_side_t side, const pt_msg_t *msg)
{
    if (self->role != (side == PT_GATEWAYS ? PT_ROLE_GATEWAY : PT_ROLE_WORKER))
        return other_role;
    if (self->role == PT_ROLE_GATEWAY)
        return NULL;
    bool may = may_counts(self, &msg->slots) && may_counts(self, &msg->credit) &&
               may_refs(self, &msg->leases) && may_refs(self, &msg->unsettled);
    return may ? NULL : other_type;
}

const char *pt_right_publish(const pt_right_t *self, const pt_msg_t *msg)
{
    pt_role_t role = PT_ROLES;
    switch (msg->verb) {
    case PT_STATUS:
    case PT_RESULT:
    case PT_LOG:
    case PT_DECLARE:
        role = PT_ROLE_WORKER;
        break;
    case PT_EVENT:
    case PT_EDGE:
        role = PT_ROLE_GATEWAY;
        break;
    case PT_ALIVE:
        return self->role == PT_ROLE_SUBSCRIBER ? other_role : NULL;
    default:
        break;
    }
    if (self->role != role)
        return other_role;
    return role == PT_ROLE_GATEWAY || may_type(self, msg->job_type) ? NULL : other_type;
}

/* Only what lies within the organisation: `event.<org>.` and everything longer. A shorter prefix
   would match others' too. */
static bool within(const pt_uuid_t *org, const char *prefix, size_t size)
{
    static const char *const kinds[] = {"status", "result", "log", "event", "edge"};
    char uuid[PT_UUID_TEXT], own[PT_TOPIC_MAX];
    pt_uuid_format(org, uuid);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = (size_t)snprintf(own, sizeof own, "%s.%s.", kinds[i], uuid);
        if (size >= length && memcmp(prefix, own, length) == 0)
            return true;
    }
    return false;
}

const char *pt_right_subscribe(const pt_right_t *self, const void *prefix, size_t size)
{
    if (self->role == PT_ROLE_WORKER)
        return other_role;
    bool may = self->role == PT_ROLE_GATEWAY || self->all || within(&self->org, prefix, size);
    return may ? NULL : "the certificate is for another organisation";
}
