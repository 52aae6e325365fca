-- The rows that the other two keep: as Paratope's, without its events, attempts and checks.
create table variants (id uuid primary key);
create table jobs (
    id           uuid primary key,
    variant_id   uuid not null references variants,
    job_type     text not null,
    status       text not null default 'pending',
    created_at   timestamptz not null default now(),
    started_at   timestamptz,
    completed_at timestamptz
);
create index jobs_open on jobs (created_at) where completed_at is null;
create table results (job_id uuid primary key references jobs, results json not null);
