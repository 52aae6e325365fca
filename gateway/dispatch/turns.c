#include "gateway/dispatch/turns.h"

typedef struct {
    pt_uuid_t org_id;
    int64_t next;
} place_t;

static void free_place(void **item)
{
    free(*item);
    *item = NULL;
}

void pt_turns_clear(pt_turns_t *self)
{
    zhashx_destroy(&self->ahead);
    self->now = 0;
}

void pt_turns_took(pt_turns_t *self, const pt_uuid_t *org_id, int64_t turn, int weight)
{
    if (!self->ahead)
        self->ahead = pt_uuid_table_new(free_place);
    place_t *place = zhashx_lookup(self->ahead, org_id);
    if (!place && zhashx_size(self->ahead) < PT_TURNS_MAX) {
        place = zmalloc(sizeof *place);
        place->org_id = *org_id;
        zhashx_insert(self->ahead, &place->org_id, place);
    }
    if (place)
        place->next = turn + PT_TURN / weight;
    self->now = turn;
}

/* Who does not stand ahead is as one that comes anew. */
static void forget_passed(pt_turns_t *self)
{
    zlistx_t *orgs = zhashx_keys(self->ahead);
    for (const pt_uuid_t *org = zlistx_first(orgs); org; org = zlistx_next(orgs)) {
        const place_t *place = zhashx_lookup(self->ahead, org);
        if (place->next <= self->now)
            zhashx_delete(self->ahead, org);
    }
    zlistx_destroy(&orgs);
}

char *pt_turns_text(pt_turns_t *self)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    const char *comma = "";
    assert(to);
    fputc('{', to);
    if (self->ahead) {
        forget_passed(self);
        for (const place_t *place = zhashx_first(self->ahead); place;
             place = zhashx_next(self->ahead)) {
            char org[PT_UUID_TEXT];
            fprintf(to, "%s\"%s\":%lld", comma, pt_uuid_format(&place->org_id, org),
                    (long long)place->next);
            comma = ",";
        }
    }
    fputc('}', to);
    fclose(to);
    return text;
}
