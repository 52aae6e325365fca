#include "worker/agent_inside.h"

#include "proto/declared.h"

#include <stdlib.h>
#include <string.h>

#define OFTEN_MS 500 /* at first, because PUB may drop */
#define OFTEN_FOR_MS 2000
#define REPEAT_MS 30000
#define GRUMBLE_MS 60000

/* Takes `bytes`. */
static void set_declared(pt_agent_t *self, agent_type_t *type, void *bytes, size_t size)
{
    free(type->declared);
    type->declared = bytes;
    type->declared_size = size;
    type->declare_often_until = self->now.ms + OFTEN_FOR_MS;
    type->declare_due = type->declared_at + OFTEN_MS; /* a talkative pipeline waits so long */
    if (type->declared_at == 0 || type->declare_due < self->now.ms)
        type->declare_due = self->now.ms;
}

void declare_configured(pt_agent_t *self)
{
    for (size_t i = 0; i < self->config.type_count; i++) {
        const pt_agent_type_t *what = &self->types[i].what;
        void *copy = what->declared ? malloc(what->declared_size) : NULL;
        if (what->declared && !copy)
            abort();
        if (copy)
            set_declared(self, &self->types[i], memcpy(copy, what->declared, what->declared_size),
                         what->declared_size);
    }
}

static void grumble(pt_agent_t *self, agent_type_t *type, const char *why)
{
    if (type->grumbled != 0 && self->now.ms - type->grumbled < GRUMBLE_MS)
        return;
    type->grumbled = self->now.ms;
    pt_outputs_log(&self->out, true, "a pipeline of %s declares what is not acceptable: %s",
                   type->what.job_type, why);
}

void declare_heard(pt_agent_t *self, const agent_slot_t *slot, const pt_said_t *said)
{
    agent_type_t *type = &self->types[slot->type];
    pt_declared_t declaration;
    if (type->what.declared) /* the configuration knows better */
        return;
    const char *why = pt_declared_read(&declaration, said->declared, said->declared_size);
    if (why) {
        grumble(self, type, why);
        return;
    }
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    pt_declared_write(&declaration, &bytes);
    bool same = type->declared && type->declared_size == bytes.size &&
                memcmp(type->declared, bytes.data, bytes.size) == 0;
    size_t size = bytes.size;
    if (same)
        msgpack_sbuffer_destroy(&bytes);
    else
        set_declared(self, type, msgpack_sbuffer_release(&bytes), size);
}

void declare_restart(pt_agent_t *self)
{
    for (size_t i = 0; i < self->config.type_count; i++) {
        self->types[i].declare_due = self->now.ms;
        self->types[i].declare_often_until = self->now.ms + OFTEN_FOR_MS;
    }
}

static void publish(pt_agent_t *self, agent_type_t *type)
{
    pt_msg_t msg;
    int64_t now = self->now.ms;
    pt_msg_init(&msg, PT_DECLARE);
    msg.instance = self->config.instance;
    pt_msg_set(&msg, PT_F_INSTANCE);
    pt_msg_set_text(&msg, PT_F_MACHINE, self->config.machine);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, type->what.job_type);
    pt_outputs_publish_with(&self->out, &msg, type->declared, type->declared_size);
    type->declared_at = now;
    type->declare_due = now + (now < type->declare_often_until ? OFTEN_MS : REPEAT_MS);
}

void declare_tick(pt_agent_t *self)
{
    for (size_t i = 0; self->phase == PHASE_SESSION && i < self->config.type_count; i++)
        if (self->types[i].declared && self->now.ms >= self->types[i].declare_due)
            publish(self, &self->types[i]);
}

int64_t declare_deadline(const pt_agent_t *self)
{
    int64_t due = NEVER;
    for (size_t i = 0; self->phase == PHASE_SESSION && i < self->config.type_count; i++)
        if (self->types[i].declared)
            due = earlier(due, self->types[i].declare_due);
    return due;
}
