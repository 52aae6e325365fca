#include "gateway/links/edges.h"

#include "gateway/uuid_hash.h"

#define BUSY_MS 2000
#define IDLE_MS 30000

typedef struct {
    pt_uuid_t org_id;
    uint64_t seq;
    int64_t due;
    bool moved; /* since it was said last */
} edge_t;

struct pt_edges {
    zhashx_t *by_org;
    int64_t due; /* of the first of them */
};

static void free_edge(void **item)
{
    free(*item);
    *item = NULL;
}

pt_edges_t *pt_edges_new(void)
{
    pt_edges_t *self = zmalloc(sizeof *self);
    self->by_org = pt_uuid_table_new(free_edge);
    return self;
}

void pt_edges_destroy(pt_edges_t **self_p)
{
    if (!*self_p)
        return;
    zhashx_destroy(&(*self_p)->by_org);
    free(*self_p);
    *self_p = NULL;
}

void pt_edges_note(pt_edges_t *self, const pt_uuid_t *org_id, uint64_t seq, int64_t now)
{
    edge_t *edge = zhashx_lookup(self->by_org, org_id);
    if (!edge) {
        edge = zmalloc(sizeof *edge);
        edge->org_id = *org_id;
        edge->due = now + BUSY_MS;
        zhashx_insert(self->by_org, &edge->org_id, edge);
    }
    if (seq <= edge->seq)
        return;
    edge->seq = seq;
    if (!edge->moved && edge->due > now + BUSY_MS)
        edge->due = now + BUSY_MS;
    edge->moved = true;
    if (edge->due < self->due)
        self->due = edge->due;
}

bool pt_edges_is_new(const pt_edges_t *self, const pt_uuid_t *org_id, uint64_t seq)
{
    const edge_t *edge = zhashx_lookup(self->by_org, org_id);
    return !edge || seq > edge->seq;
}

int64_t pt_edges_due(pt_edges_t *self, int64_t now, pt_edges_say_fn *say, void *context)
{
    if (now < self->due)
        return self->due;
    self->due = now + IDLE_MS;
    for (edge_t *edge = zhashx_first(self->by_org); edge; edge = zhashx_next(self->by_org)) {
        if (edge->due <= now) {
            say(context, &edge->org_id, edge->seq);
            edge->due = now + (edge->moved ? BUSY_MS : IDLE_MS);
            edge->moved = false;
        }
        if (edge->due < self->due)
            self->due = edge->due;
    }
    return self->due;
}
