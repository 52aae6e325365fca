-- How long and how often a type's jobs are tried. A type without a row has the defaults of this table.
create table job_types (
    job_type       text primary key check (job_type ~ '^[a-z0-9_]{1,31}$'),
    max_tries      integer not null default 3 check (max_tries between 1 and 100),
    retry_after    interval not null default '2 seconds',  -- after the first failed try; then doubled, up to
    retry_most     interval not null default '60 seconds',
    queue_timeout  interval not null default '24 hours'    -- of a job that waits while nobody serves its type
);

-- How many jobs may be out at once: of an organisation (job_type null), of a type (org_id null), or of both.
create table limits (
    org_id    uuid references organisations,
    job_type  text,
    max_out   integer not null check (max_out >= 0),
    check (org_id is not null or job_type is not null),
    unique nulls not distinct (org_id, job_type)
);

-- Turns that an organisation has in each round, where others wait for the same type.
alter table organisations add weight integer not null default 1 check (weight between 1 and 100);

alter table jobs add priority smallint not null default 1 check (priority between 0 and 2); -- 0 goes first
alter table jobs add request_id text;       -- X-Request-Id of the submission
alter table jobs add options json;          -- of the pipeline; null: its defaults
alter table jobs add resubmit_of uuid;      -- the failed job that this one repeats

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
