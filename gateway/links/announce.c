#include "gateway/links/announce.h"

#include "gateway/store/move.h"
#include "proto/chunks.h"

static void set_elsewhere(pt_msg_t *msg, const msgpack_sbuffer *inputs)
{
    msg->size = inputs->size;
    pt_digest(inputs->data, inputs->size, msg->digest);
    pt_msg_set(msg, PT_F_SIZE);
    pt_msg_set(msg, PT_F_DIGEST);
}

static void send_job(pt_links_t *links, const pt_job_parcel_t *job, const msgpack_sbuffer *inputs,
                     int64_t expires)
{
    pt_msg_t msg;
    bool large = inputs->size > PT_PAYLOAD_MAX;
    pt_msg_init(&msg, PT_JOB);
    msg.job_id = job->job_id;
    msg.org_id = job->org_id;
    msg.attempt = job->attempt;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    msg.priority = (uint64_t)job->priority;
    msg.weight = (uint64_t)job->weight;
    pt_msg_set(&msg, PT_F_PRIORITY);
    pt_msg_set(&msg, PT_F_WEIGHT);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, job->job_type);
    if (large)
        set_elsewhere(&msg, inputs);
    pt_links_send(links, &job->ticket, &msg, large ? NULL : inputs->data, large ? 0 : inputs->size,
                  expires);
}

const pt_inputs_fault_t *pt_send_job(pt_links_t *links, const pt_job_parcel_t *job, int64_t expires)
{
    msgpack_sbuffer inputs;
    msgpack_sbuffer_init(&inputs);
    const pt_inputs_fault_t *fault = pt_inputs_pack(&job->inputs, &inputs);
    if (!fault)
        send_job(links, job, &inputs, expires);
    msgpack_sbuffer_destroy(&inputs);
    return fault;
}

void pt_send_stop(pt_links_t *links, const pt_ticket_t *to, const pt_uuid_t *job, uint32_t attempt)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_STOP);
    msg.job_id = *job;
    msg.attempt = attempt;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_links_send(links, to, &msg, NULL, 0, 0);
}

static void set_detail(pt_msg_t *msg, const pt_event_t *event)
{
    if (event->has_progress) {
        pt_msg_set_text(msg, PT_F_STEP, event->step);
        msg->fraction = event->fraction;
        pt_msg_set(msg, PT_F_FRACTION);
    }
    if (event->has_reason) {
        pt_msg_set_text(msg, PT_F_CODE, event->code);
        pt_msg_set_text(msg, PT_F_MESSAGE, event->message);
    }
    if (event->has_origin) {
        msg->variant_id = event->variant_id;
        pt_msg_set(msg, PT_F_VARIANT_ID);
        if (*event->request)
            pt_msg_set_text(msg, PT_F_REQUEST, event->request);
    }
}

void pt_announce(pt_links_t *links, const pt_announcement_t *about, const pt_event_t *event)
{
    pt_msg_t msg;
    pt_msg_init(&msg, PT_EVENT);
    msg.job_id = about->job_id;
    msg.org_id = about->org_id;
    msg.attempt = event->attempt;
    msg.at = event->at;
    msg.seq = about->seq;
    msg.timeline = about->timeline;
    msg.waiting = about->waiting;
    pt_msg_set(&msg, PT_F_JOB_ID);
    pt_msg_set(&msg, PT_F_ORG_ID);
    pt_msg_set(&msg, PT_F_ATTEMPT);
    pt_msg_set(&msg, PT_F_AT);
    pt_msg_set(&msg, PT_F_SEQ);
    pt_msg_set(&msg, PT_F_TIMELINE);
    if (about->waiting)
        pt_msg_set(&msg, PT_F_WAITING);
    pt_msg_set_text(&msg, PT_F_JOB_TYPE, about->job_type);
    pt_msg_set_text(&msg, PT_F_STATUS, event->status);
    pt_msg_set_text(&msg, PT_F_TYPE, event->type);
    set_detail(&msg, event);
    pt_links_note_edge(links, &about->org_id, about->seq, about->timeline);
    pt_links_publish(links, &msg);
}

void pt_announce_edge(pt_links_t *links, const pt_uuid_t *org_id, uint64_t seq, uint64_t timeline)
{
    pt_links_note_edge(links, org_id, seq, timeline);
    pt_links_publish_edge(links, org_id, seq, timeline);
}

pt_pg_outcome_t pt_refresh_edges(pt_links_t *links, pt_pg_t *pg, const char *org_ids)
{
    PGresult *rows = NULL;
    pt_pg_outcome_t outcome = pt_pg_run(pg, org_ids ? &pt_sql_edges_of : &pt_sql_edges, &org_ids,
                                        org_ids ? 1 : 0, 3000, &rows);
    if (outcome != PT_PG_OK)
        return outcome;
    for (int row = 0; row < PQntuples(rows); row++) {
        pt_uuid_t org;
        pt_uuid_parse(&org, PQgetvalue(rows, row, 0), PT_UUID_TEXT - 1);
        pt_links_note_edge(links, &org, strtoull(PQgetvalue(rows, row, 1), NULL, 10),
                           pt_pg_timeline(pg));
    }
    PQclear(rows);
    return PT_PG_OK;
}
