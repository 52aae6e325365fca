#include "gateway/dispatch/supplier.h"

#include "gateway/dispatch/job_inputs.h"
#include "gateway/dispatch/supplies.h"
#include "gateway/links/announce.h"
#include "gateway/store/move.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define STATEMENT_MS 30000

typedef struct {
    pt_ticket_t from;
    pt_uuid_t job_id;
    uint32_t attempt;
    uint64_t offset;
} fetch_t;

struct pt_supplier {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    fetch_t queue[PT_SUPPLIER_QUEUE]; /* a ring */
    size_t head, queued;
    bool stop;
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    pt_supplies_t supplies; /* of the thread alone */
    _Atomic uint64_t sent;
};

/* ---- answers ----------------------------------------------------------------------------- */

static void start(pt_msg_t *msg, const fetch_t *fetch)
{
    pt_msg_init(msg, PT_CHUNK);
    msg->job_id = fetch->job_id;
    msg->attempt = fetch->attempt;
    msg->offset = fetch->offset;
    pt_msg_set(msg, PT_F_JOB_ID);
    pt_msg_set(msg, PT_F_ATTEMPT);
    pt_msg_set(msg, PT_F_OFFSET);
}

static void send_chunk(pt_supplier_t *self, const fetch_t *fetch, const pt_supply_t *kept)
{
    pt_msg_t msg;
    msgpack_sbuffer payload;
    msgpack_packer to;
    if (fetch->offset >= kept->size || fetch->offset % PT_CHUNK_MAX != 0)
        return; /* nobody was told that there is such a piece */
    size_t left = kept->size - fetch->offset, size = left < PT_CHUNK_MAX ? left : PT_CHUNK_MAX;
    msgpack_sbuffer_init(&payload);
    msgpack_packer_init(&to, &payload, msgpack_sbuffer_write);
    msgpack_pack_bin(&to, size);
    msgpack_pack_bin_body(&to, kept->data + fetch->offset, size);
    start(&msg, fetch);
    pt_links_send(self->links, &fetch->from, &msg, payload.data, payload.size, 0);
    atomic_fetch_add(&self->sent, 1);
    msgpack_sbuffer_destroy(&payload);
}

/* ---- reading ----------------------------------------------------------------------------- */

static const pt_inputs_fault_t *pack_rows(const PGresult *rows, msgpack_sbuffer *inputs)
{
    pt_inputs_t from;
    pt_job_inputs_read(rows, &from);
    return pt_inputs_pack(&from, inputs);
}

/* Whether somebody still wants that attempt of the job. */
static bool is_current(const PGresult *row, uint32_t attempt)
{
    return PQntuples(row) > 0 && strtoul(PQgetvalue(row, 0, 0), NULL, 10) == attempt &&
           *PQgetvalue(row, 0, 1) == 'f';
}

/* NULL: the database is away, and it is asked again; or nobody wants them, which is said. */
static const pt_supply_t *read_inputs(pt_supplier_t *self, const fetch_t *fetch)
{
    char id[PT_UUID_TEXT];
    const char *params[] = {pt_uuid_format(&fetch->job_id, id)};
    PGresult *row = NULL;
    if (pt_pg_run(self->pg, &pt_sql_job_inputs, params, 1, STATEMENT_MS, &row) != PT_PG_OK) {
        pt_log(PT_WARNING, "large inputs could not be read", PT_S("why", pt_pg_error(self->pg)));
        return NULL;
    }
    msgpack_sbuffer inputs;
    msgpack_sbuffer_init(&inputs);
    bool ok = is_current(row, fetch->attempt) && !pack_rows(row, &inputs);
    pt_pg_clear_large(self->pg, row);
    if (!ok) {
        pt_send_stop(self->links, &fetch->from, &fetch->job_id, fetch->attempt);
        msgpack_sbuffer_destroy(&inputs);
        return NULL;
    }
    size_t size = inputs.size;
    return pt_supplies_keep(&self->supplies, &fetch->job_id, fetch->attempt,
                            msgpack_sbuffer_release(&inputs), size, pt_clock_ms());
}

static void answer(pt_supplier_t *self, const fetch_t *fetch)
{
    const pt_supply_t *kept =
        pt_supplies_find(&self->supplies, &fetch->job_id, fetch->attempt, pt_clock_ms());
    if (!kept)
        kept = read_inputs(self, fetch);
    if (kept)
        send_chunk(self, fetch, kept);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* The next fetch; false: stop. What nobody uses goes meanwhile. */
static bool take(pt_supplier_t *self, fetch_t *fetch)
{
    pthread_mutex_lock(&self->lock);
    while (self->queued == 0 && !self->stop) {
        struct timespec until = pt_until(pt_clock_ms() + PT_SUPPLIES_KEEP_MS);
        if (self->supplies.bytes == 0)
            pthread_cond_wait(&self->wake, &self->lock);
        else if (pthread_cond_timedwait(&self->wake, &self->lock, &until) != 0)
            pt_supplies_drop_unused(&self->supplies, pt_clock_ms());
    }
    bool on = !self->stop;
    if (on) {
        *fetch = self->queue[self->head];
        self->head = (self->head + 1) % PT_SUPPLIER_QUEUE;
        self->queued--;
    }
    pthread_mutex_unlock(&self->lock);
    return on;
}

static void *run(void *arg)
{
    pt_supplier_t *self = arg;
    fetch_t fetch;
    while (take(self, &fetch))
        answer(self, &fetch);
    return NULL;
}

void pt_supplier_asked(pt_supplier_t *self, const pt_ticket_t *from, const pt_msg_t *fetch)
{
    pthread_mutex_lock(&self->lock);
    if (self->queued < PT_SUPPLIER_QUEUE) {
        self->queue[(self->head + self->queued++) % PT_SUPPLIER_QUEUE] =
            (fetch_t){*from, fetch->job_id, fetch->attempt, fetch->offset};
        pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->lock);
}

pt_supplier_t *pt_supplier_new(const char *uri, pt_links_t *links)
{
    pt_supplier_t *self = zmalloc(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    pt_cond_init(&self->wake);
    self->pg = pt_pg_new(uri);
    self->links = links;
    self->supplies.most = PT_SUPPLIER_BYTES;
    pthread_create(&self->thread, NULL, run, self);
    return self;
}

void pt_supplier_destroy(pt_supplier_t **self_p)
{
    pt_supplier_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stop = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pt_supplies_clear(&self->supplies);
    pt_pg_destroy(&self->pg);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

uint64_t pt_supplier_sent(const pt_supplier_t *self)
{
    return atomic_load(&self->sent);
}
