#include "gateway/announce.h"

#include "gateway/inputs.h"
#include "gateway/store.h"
#include "proto/program/log.h"

void pt_send_job(pt_links_t *links, const pt_job_parcel_t *job, int64_t expires)
{
    msgpack_sbuffer inputs;
    msgpack_sbuffer_init(&inputs);
    if (pt_inputs_pack(&job->variant_id, job->name, job->format, job->chains, &inputs)) {
        pt_msg_t msg;
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
        pt_links_send(links, &job->ticket, &msg, inputs.data, inputs.size, expires);
    } else {
        /* Candidates are limited at the door, so this is a row that somebody else wrote. */
        char id[PT_UUID_TEXT];
        pt_log(PT_ERROR, "a job's inputs cannot be sent: its variant is malformed or too large",
               PT_S("job", pt_uuid_format(&job->job_id, id)));
    }
    msgpack_sbuffer_destroy(&inputs);
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
