-- What the pipelines of a job type say of themselves (PIPELINE.md, `declare`), the greatest version that was heard.
create table declarations (
    job_type        text primary key check (job_type ~ '^[a-z0-9_]{1,31}$'),
    title           text not null,
    version         text not null check (version ~ '^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$'),
    options_schema  json not null,
    wants           text[] not null default '{}',   -- job types whose newest completed job comes along
    declared_at     timestamptz not null default now()
);
create trigger told after insert or update or delete on declarations
    for each statement execute function tell_settings();

alter table results add files json;         -- {name: {media_type, content}}; null: none
alter table jobs add error_details json;    -- what a failed job had reached, as its pipeline says
alter table jobs add earlier jsonb;         -- {job type: id} of the completed jobs that come along as inputs

-- The newest completed job of a variant, of each type.
create index jobs_newest on jobs (variant_id, job_type, completed_at desc) where status = 'completed';
