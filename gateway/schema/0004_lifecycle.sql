-- How long and how often a type's jobs are tried. A type without a row has the defaults of this table.
create table job_types (
    job_type       text primary key check (job_type ~ '^[a-z0-9_]{1,31}$'),
    max_tries      integer not null default 3 check (max_tries between 1 and 100),
    retry_after    interval not null default '2 seconds'    -- after the first failed try; then doubled, up to
                   check (retry_after between '0' and '1 day'),
    retry_most     interval not null default '60 seconds' check (retry_most between '0' and '1 day'),
    queue_timeout  interval not null default '24 hours'     -- of a job that waits while nobody serves its type
                   check (queue_timeout between '1 second' and '3650 days')
);

-- Types that nobody serves although something waits, and since when: by the leader, so that a restart of
-- all that runs does not begin to count anew.
create table unserved (
    job_type  text primary key,
    since     timestamptz not null default now()
);

-- How many jobs may be out at once: of an organisation (job_type null), of a type (org_id null), or of both.
create table limits (
    org_id    uuid references organisations,
    job_type  text check (job_type ~ '^[a-z0-9_]{1,31}$'),
    max_out   integer not null check (max_out >= 0),
    check (org_id is not null or job_type is not null),
    unique nulls not distinct (org_id, job_type)
);

-- Turns that an organisation has in each round, where others wait for the same type.
alter table organisations add weight integer not null default 1 check (weight between 1 and 100);

-- Who keeps some of this in memory hears when it changes.
create function tell_settings() returns trigger language plpgsql as $$
begin
    perform pg_notify('paratope_settings', '');
    return null;
end $$;
create trigger told after insert or update or delete on job_types
    for each statement execute function tell_settings();
create trigger told after insert or update or delete on limits
    for each statement execute function tell_settings();

create function tell_weight() returns trigger language plpgsql as $$
begin
    perform pg_notify('paratope_tokens', ''); -- a token's organisation and weight are kept with it
    return null;
end $$;
create trigger told after update of weight on organisations
    for each statement execute function tell_weight();

alter table jobs add priority smallint not null default 1 check (priority between 0 and 2); -- 0 goes first
alter table jobs add request_id text;       -- X-Request-Id of the submission
alter table jobs add options json;          -- of the pipeline; null: its defaults
alter table jobs add resubmit_of uuid;      -- the failed job that this one repeats

-- In the order in which an organisation's jobs of a type are handed out.
drop index jobs_waiting;
create index jobs_waiting on jobs (job_type, org_id, priority, due_at, id) where due_at is not null;

-- What is out of a type, and of an organisation, is counted for its limits, and read in pages.
drop index jobs_out;
create index jobs_out on jobs (job_type, org_id, id) where due_at is null and completed_at is null;

-- Dead letters by reason, and what became of them.
create index jobs_by_error on jobs (org_id, error_code, job_type, created_at, id) where error_code is not null;
create index jobs_resubmitted on jobs (resubmit_of) where resubmit_of is not null;

-- What pipelines wrote on standard error. Pieces may be missing: "offset" says where each begins, in bytes. No foreign
-- key: it would lock the job's row, and the recorder would wait for who stores a log.
create table job_logs (
    job_id   uuid not null,
    attempt  integer not null,
    "offset" bigint not null,
    at       timestamptz not null,
    text     text not null,
    primary key (job_id, attempt, "offset")
);

-- How many bytes `results` has as text, so that a large answer is known before it is read. Null in rows from before.
alter table results add bytes bigint;

-- Ends a job as canceled, unless it has ended: the first commit wins. No row if the organisation has no such
-- job; `changed` is false if it had ended before. Locks the job, then the counter, as whoever records does.
create function cancel_job(org uuid, job uuid, request_id text)
returns table (changed boolean, was_out boolean, job_type text, attempt integer, at timestamptz, seq bigint)
language plpgsql as $$
declare
    j jobs%rowtype;
    ended_at timestamptz;
begin
    select * into j from jobs where jobs.id = job and jobs.org_id = org for update;
    if not found then
        return;
    end if;
    if j.completed_at is not null then
        return query select false, false, j.job_type, j.attempt, j.completed_at, null::bigint;
        return;
    end if;
    ended_at := greatest(now(), j.created_at, j.started_at);
    update jobs set status = 'canceled', due_at = null, completed_at = ended_at where jobs.id = job;
    return query
    select true, j.due_at is null, j.job_type, j.attempt, ended_at, e.seq
    from append_events(array[job], array[org], array[j.job_type], array['canceled'], array['canceled'],
                       array[j.attempt], array[ended_at],
                       array[json_build_object('request_id', request_id)::text]) e;
end $$;
