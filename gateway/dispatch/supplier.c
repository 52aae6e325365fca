#include "gateway/dispatch/supplier.h"

#include "gateway/dispatch/job_inputs.h"
#include "gateway/links/announce.h"
#include "gateway/store/move.h"
#include "proto/program/log.h"
#include "proto/program/process.h"

#include <stdatomic.h>

#define STATEMENT_MS 30000
#define KEEP_MS 30000 /* since the last piece was asked for */
#define KEEP_MOST 16

typedef struct {
    pt_ticket_t from;
    pt_uuid_t job_id;
    uint32_t attempt;
    uint64_t offset;
} fetch_t;

/* The inputs of a job at an attempt; of the thread alone. */
typedef struct {
    pt_uuid_t job_id;
    uint32_t attempt;
    char *data; /* owned; NULL: the place is free */
    size_t size;
    int64_t used;
} kept_t;

struct pt_supplier {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    fetch_t queue[PT_SUPPLIER_QUEUE]; /* a ring */
    size_t head, queued;
    bool stop;
    pthread_t thread;
    pt_pg_t *pg;
    pt_links_t *links;
    kept_t kept[KEEP_MOST];
    size_t bytes;
    _Atomic uint64_t sent;
};

/* ---- what is in memory ------------------------------------------------------------------- */

static void drop(pt_supplier_t *self, kept_t *kept)
{
    self->bytes -= kept->size;
    free(kept->data);
    memset(kept, 0, sizeof *kept);
}

static kept_t *find(pt_supplier_t *self, const fetch_t *fetch)
{
    for (size_t i = 0; i < KEEP_MOST; i++) {
        kept_t *kept = &self->kept[i];
        if (kept->data && kept->attempt == fetch->attempt &&
            pt_uuid_equal(&kept->job_id, &fetch->job_id))
            return kept;
    }
    return NULL;
}

/* The one that was not used for longest; a free place counts as never. */
static kept_t *oldest(pt_supplier_t *self, bool with_bytes)
{
    kept_t *found = NULL;
    for (size_t i = 0; i < KEEP_MOST; i++)
        if ((!with_bytes || self->kept[i].data) && (!found || self->kept[i].used < found->used))
            found = &self->kept[i];
    return found;
}

static kept_t *keep(pt_supplier_t *self, const fetch_t *fetch, msgpack_sbuffer *inputs)
{
    while (self->bytes > 0 && self->bytes + inputs->size > PT_SUPPLIER_BYTES)
        drop(self, oldest(self, true));
    kept_t *kept = oldest(self, false);
    drop(self, kept);
    kept->job_id = fetch->job_id;
    kept->attempt = fetch->attempt;
    kept->size = inputs->size;
    kept->data = msgpack_sbuffer_release(inputs);
    self->bytes += kept->size;
    return kept;
}

static void drop_unused(pt_supplier_t *self)
{
    for (size_t i = 0; i < KEEP_MOST; i++)
        if (self->kept[i].data && pt_clock_ms() - self->kept[i].used >= KEEP_MS)
            drop(self, &self->kept[i]);
}

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

static void send_chunk(pt_supplier_t *self, const fetch_t *fetch, const kept_t *kept)
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
static kept_t *read_inputs(pt_supplier_t *self, const fetch_t *fetch)
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
    kept_t *kept = ok ? keep(self, fetch, &inputs) : NULL;
    if (!ok)
        pt_send_stop(self->links, &fetch->from, &fetch->job_id, fetch->attempt);
    msgpack_sbuffer_destroy(&inputs);
    return kept;
}

static void answer(pt_supplier_t *self, const fetch_t *fetch)
{
    kept_t *kept = find(self, fetch);
    if (!kept)
        kept = read_inputs(self, fetch);
    if (!kept)
        return;
    kept->used = pt_clock_ms();
    send_chunk(self, fetch, kept);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* The next fetch; false: stop. What nobody uses goes meanwhile. */
static bool take(pt_supplier_t *self, fetch_t *fetch)
{
    pthread_mutex_lock(&self->lock);
    while (self->queued == 0 && !self->stop) {
        struct timespec until = pt_until(pt_clock_ms() + KEEP_MS);
        if (self->bytes == 0)
            pthread_cond_wait(&self->wake, &self->lock);
        else if (pthread_cond_timedwait(&self->wake, &self->lock, &until) != 0)
            drop_unused(self);
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
    for (size_t i = 0; i < KEEP_MOST; i++)
        drop(self, &self->kept[i]);
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
