#include "gateway/links/link.h"

#include <string.h>

void pt_link_init(pt_link_t *self, int64_t now)
{
    memset(self, 0, sizeof *self);
    self->heard = self->ticked = now;
    self->said = now - PT_INTERVAL_MS;
}

static unsigned lose(pt_link_t *self)
{
    unsigned actions = PT_LINK_REOPEN | (self->in_session ? PT_LINK_LOST : 0);
    self->in_session = false;
    return actions;
}

static void open(pt_link_t *self, const pt_msg_t *msg)
{
    self->in_session = true;
    memcpy(self->session, msg->session, PT_SESSION_SIZE);
}

bool pt_link_take(pt_link_t *self, const pt_msg_t *msg, int64_t now, unsigned *actions)
{
    *actions = PT_LINK_NOTHING;
    if (msg->verb == PT_HELLO_AGAIN) {
        *actions = lose(self);
        if (pt_msg_has(msg, PT_F_REASON))
            self->quiet_until = now + PT_INTERVAL_MS;
        return true;
    }
    bool same = self->in_session && memcmp(self->session, msg->session, PT_SESSION_SIZE) == 0;
    if (msg->verb == PT_WELCOME && !same) {
        if (self->in_session) /* one socket has one session */
            return false;
        open(self, msg);
        *actions = PT_LINK_OPENED;
    } else if (!same) {
        return false;
    }
    self->heard = now;
    if (*actions & PT_LINK_OPENED)
        self->echoed = now;
    if (msg->verb == PT_BYE)
        *actions = lose(self);
    return true;
}

void pt_link_echo(pt_link_t *self, int64_t now)
{
    self->echoed = now;
}

static bool is_silent(const pt_link_t *self, int64_t now)
{
    int64_t patience = PT_MISSED_MAX * PT_INTERVAL_MS;
    return now - self->heard > patience || (self->in_session && now - self->echoed > patience);
}

unsigned pt_link_tick(pt_link_t *self, int64_t now)
{
    if (now - self->ticked > PT_INTERVAL_MS) { /* this loop slept: the silence may be its own */
        self->heard += now - self->ticked;
        self->echoed += now - self->ticked;
    }
    self->ticked = now;
    if (is_silent(self, now))
        return lose(self);
    if (now - self->said < PT_INTERVAL_MS || now < self->quiet_until)
        return PT_LINK_NOTHING;
    self->said = now;
    return self->in_session ? PT_LINK_SEND_BEAT : PT_LINK_SEND_HELLO;
}
