#include "gateway/dispatch/rounds.h"

#include "gateway/uuid_hash.h"

#define ROUND_MS (PT_MISSED_MAX * PT_INTERVAL_MS)
#define PAGE_MS 100 /* at most ten questions a second */
#define PATIENCE_MS (2 * PT_INTERVAL_MS)

/* A job that nobody named, since when. */
typedef struct {
    pt_uuid_t job_id;
    uint32_t attempt;
    int64_t since;
    uint64_t seen; /* the round that missed it last */
} suspect_t;

typedef struct {
    pt_ref_t ref;
    bool held;
} asked_t;

struct pt_rounds {
    zhashx_t *suspects;
    zhashx_t *page; /* asked_t by job id: the question under way */
    uint32_t waiting_for;
    uint64_t number, round;
    int64_t asked_at, started_at, next_page;
    pt_uuid_t last;
    bool in_round, more, found, woken, now_please;
};

static void free_item(void **item)
{
    free(*item);
    *item = NULL;
}

pt_rounds_t *pt_rounds_new(void)
{
    pt_rounds_t *self = zmalloc(sizeof *self);
    self->suspects = pt_uuid_table_new(free_item);
    self->page = pt_uuid_table_new(free_item);
    pt_rounds_reset(self);
    return self;
}

void pt_rounds_destroy(pt_rounds_t **self_p)
{
    if (!*self_p)
        return;
    zhashx_destroy(&(*self_p)->suspects);
    zhashx_destroy(&(*self_p)->page);
    free(*self_p);
    *self_p = NULL;
}

void pt_rounds_reset(pt_rounds_t *self)
{
    zhashx_purge(self->suspects);
    zhashx_purge(self->page);
    self->waiting_for = 0;
    self->in_round = false;
    self->started_at = self->next_page = 0;
    self->woken = self->now_please = true;
}

void pt_rounds_wake(pt_rounds_t *self, bool now_please)
{
    self->woken = true;
    self->now_please = self->now_please || now_please;
}

static int64_t next_start(const pt_rounds_t *self)
{
    return self->now_please ? self->next_page : self->started_at + ROUND_MS;
}

bool pt_rounds_wants_page(const pt_rounds_t *self, int64_t now, pt_uuid_t *after)
{
    if (self->waiting_for || now < self->next_page)
        return false;
    if (self->in_round) {
        *after = self->last;
        return true;
    }
    memset(after, 0, sizeof *after);
    return self->woken && now >= next_start(self);
}

int64_t pt_rounds_due(const pt_rounds_t *self, int64_t now)
{
    int64_t due = INT64_MAX;
    if (self->waiting_for)
        due = self->asked_at + PATIENCE_MS;
    else if (self->in_round)
        due = self->next_page;
    else if (self->woken)
        due = next_start(self) > self->next_page ? next_start(self) : self->next_page;
    return due < now ? now : due;
}

/* Suspects that the round did not meet have ended or were handed out anew. */
static void drop_old_suspects(pt_rounds_t *self)
{
    zlistx_t *ids = zhashx_keys(self->suspects);
    for (void *id = zlistx_first(ids); id; id = zlistx_next(ids)) {
        suspect_t *suspect = zhashx_lookup(self->suspects, id);
        if (suspect->seen != self->round)
            zhashx_delete(self->suspects, id);
    }
    zlistx_destroy(&ids);
}

static void end_page(pt_rounds_t *self)
{
    zhashx_purge(self->page);
    self->waiting_for = 0;
    if (self->more)
        return;
    self->in_round = false;
    drop_old_suspects(self);
    self->woken = self->woken || self->found;
}

static void begin_round(pt_rounds_t *self, int64_t now)
{
    self->in_round = true;
    self->round++;
    self->started_at = now;
    self->found = self->woken = self->now_please = false;
}

uint64_t pt_rounds_page(pt_rounds_t *self, int64_t now, const pt_ref_t *refs, size_t count,
                        bool more, uint32_t brokers)
{
    if (!self->in_round)
        begin_round(self, now);
    self->number++;
    self->asked_at = now;
    self->next_page = now + PAGE_MS;
    self->more = more && count > 0;
    for (size_t i = 0; i < count; i++) {
        asked_t *asked = zmalloc(sizeof *asked);
        asked->ref = refs[i];
        zhashx_insert(self->page, &asked->ref.job_id, asked);
        self->last = refs[i].job_id;
    }
    self->found = self->found || count > 0;
    self->waiting_for = count > 0 ? brokers : 0;
    if (!self->waiting_for)
        end_page(self);
    return self->number;
}

/* Nobody named it: lost at the second time, if that is long enough after the first. */
static bool is_lost(pt_rounds_t *self, const pt_ref_t *ref)
{
    suspect_t *suspect = zhashx_lookup(self->suspects, &ref->job_id);
    if (suspect && suspect->attempt == ref->attempt) {
        suspect->seen = self->round;
        return self->asked_at - suspect->since >= ROUND_MS;
    }
    if (suspect)
        zhashx_delete(self->suspects, &ref->job_id);
    suspect = zmalloc(sizeof *suspect);
    *suspect = (suspect_t){ref->job_id, ref->attempt, self->asked_at, self->round};
    zhashx_insert(self->suspects, &suspect->job_id, suspect);
    return false;
}

static void judge_page(pt_rounds_t *self, pt_rounds_lost_fn *lost, void *context)
{
    for (asked_t *asked = zhashx_first(self->page); asked; asked = zhashx_next(self->page)) {
        if (asked->held) {
            zhashx_delete(self->suspects, &asked->ref.job_id);
        } else if (is_lost(self, &asked->ref)) {
            zhashx_delete(self->suspects, &asked->ref.job_id);
            lost(context, &asked->ref);
        }
    }
}

void pt_rounds_answer(pt_rounds_t *self, int64_t now, int broker, uint64_t number,
                      const pt_refs_t *held, pt_rounds_lost_fn *lost, void *context)
{
    uint32_t bit = (uint32_t)1 << broker;
    if (number != self->number || !(self->waiting_for & bit) || now < self->asked_at)
        return;
    for (size_t i = 0; i < held->count; i++) {
        asked_t *asked = zhashx_lookup(self->page, &held->items[i].job_id);
        if (asked && asked->ref.attempt == held->items[i].attempt)
            asked->held = true;
    }
    self->waiting_for &= ~bit;
    if (self->waiting_for)
        return;
    judge_page(self, lost, context);
    end_page(self);
}

void pt_rounds_broker_gone(pt_rounds_t *self, int broker)
{
    if (self->waiting_for >> broker & 1)
        end_page(self);
}

void pt_rounds_tick(pt_rounds_t *self, int64_t now)
{
    if (self->waiting_for && now - self->asked_at > PATIENCE_MS)
        end_page(self);
}
