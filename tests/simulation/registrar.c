/* As gateway/record/registrar.c: what workers declare of job types waits, unless it is what was
 * recorded last, and goes into the table by one statement after the other. */
#include "tests/simulation/gateway_inside.h"

#include "tests/simulation/declarations.h"

#define STATEMENT_MS 3000
#define PAUSE_MS 500

static void go(gateway_t *self);

static bool is_known(const registrar_t *registrar, const said_t *said)
{
    const declaration_t *known = &registrar->known[said->type];
    if (declaration_equal(known, &said->declaration))
        return true;
    for (size_t i = 0; i < registrar->queued; i++)
        if (registrar->queue[i].type == said->type &&
            pt_uuid_equal(&registrar->queue[i].instance, &said->instance) &&
            declaration_equal(&registrar->queue[i].declaration, &said->declaration))
            return true;
    return false;
}

void registrar_take(gateway_t *self, const pt_msg_t *msg, const void *payload, size_t size)
{
    registrar_t *registrar = &self->registrar;
    said_t said = {.type = type_find(msg->job_type), .instance = msg->instance};
    if (!declaration_read(&said.declaration, payload, size)) {
        broken(self->world, "what a worker declares is no declaration");
        return;
    }
    if (!registrar->active || registrar->queued == DECLARED_MAX || is_known(registrar, &said))
        return;
    registrar->queue[registrar->queued++] = said;
    go(self);
}

void registrar_set_active(gateway_t *self, bool active)
{
    self->registrar.active = active;
    memset(self->registrar.known, 0, sizeof self->registrar.known);
    if (!active)
        self->registrar.queued = 0;
}

static void on_pause_end(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    (void)world, (void)event;
    self->registrar.pausing = false;
    go(self);
}

static void on_declared(world_t *world, node_t *node, event_t *event)
{
    gateway_t *self = node->state;
    registrar_t *registrar = &self->registrar;
    const statement_t *answer = event->data;
    if ((uint64_t)event->number != registrar->serial)
        return;
    registrar->serial = 0;
    if (answer && answer->outcome == DB_OK) {
        registrar->known[registrar->said.type] = registrar->said.declaration;
    } else {
        database_hang_up(world, node, BY_REGISTRAR);
        registrar->pausing = true;
        after(world, node, PAUSE_MS * MS, on_pause_end, 0, NULL);
    }
    go(self);
}

static void go(gateway_t *self)
{
    registrar_t *registrar = &self->registrar;
    if (registrar->serial || registrar->pausing || registrar->queued == 0)
        return;
    registrar->said = registrar->queue[0];
    memmove(registrar->queue, registrar->queue + 1, --registrar->queued * sizeof(said_t));
    statement_t *ask = statement_new(DB_DECLARE, 0);
    ask->type = registrar->said.type;
    ask->declaration = registrar->said.declaration;
    registrar->serial =
        database_ask(self->world, self->node, BY_REGISTRAR, ask, STATEMENT_MS, on_declared);
}
