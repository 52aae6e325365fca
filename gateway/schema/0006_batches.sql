-- Panels: up to 10,000 jobs of one type that were submitted as one. Which jobs, their own rows say (jobs.batch_id).
create table batches (
    id           uuid primary key,
    org_id       uuid not null references organisations,
    name         text,
    job_type     text not null,
    priority     smallint not null,
    options      json,                          -- as each of its jobs has them; null: the pipeline's defaults
    total        integer not null check (total between 1 and 10000),
    created_at   timestamptz not null default now(),
    canceled_at  timestamptz,                   -- when somebody ended it as a whole
    -- What it came to, kept by whoever reads it first once all its jobs have ended: that never changes.
    completed    integer,
    failed       integer,
    canceled     integer,
    ended_at     timestamptz,
    check ((ended_at is null) = (completed is null) and (ended_at is null) = (failed is null)
           and (ended_at is null) = (canceled is null)),
    check (completed + failed + canceled = total)
);
-- The condition, which every row fulfils, is named by the list alone: no other statement takes this index.
create index batches_of_org on batches (org_id, created_at, id) where created_at is not null;

-- Numbers and writes the first event of each job of a new batch. Locks the organisation's counter, so it is the last
-- statement of its transaction, which is why all jobs are read before. Answers the first number; the job that is the
-- k-th by its id has the k-th behind it.
create function announce_batch(batch uuid)
returns bigint
language plpgsql as $$
declare
    b batches%rowtype;
    ids uuid[]; details text[]; n integer;
begin
    select array_agg(j.id order by j.id), count(*),
           array_agg(json_strip_nulls(json_build_object('variant_id', j.variant_id,
                                                        'request_id', j.request_id))::text order by j.id)
    into ids, n, details from jobs j where j.batch_id = batch;
    select * into b from batches where id = batch;
    if n <> b.total then
        raise foreign_key_violation using message = 'not all variants are there';
    end if;
    return (select min(e.seq)
            from append_events(ids, array_fill(b.org_id, array[n]), array_fill(b.job_type, array[n]),
                               array_fill('created'::text, array[n]), array_fill('pending'::text, array[n]),
                               array_fill(1, array[n]), array_fill(b.created_at, array[n]), details) e);
end $$;

-- Ends some of a batch's jobs as canceled, at most so many, what has not begun before what runs. A row for each that was
-- looked at, changed or not, so that no row means that none is left. What somebody else holds is left to the next time.
-- Locks jobs in the order of their ids, then the counter, as whoever records does.
create function cancel_batch_jobs(batch uuid, request_id text, at_most integer)
returns table (job_id uuid, changed boolean, was_out boolean, attempt integer, at timestamptz, seq bigint)
language plpgsql as $$
declare
    picked uuid[]; ids uuid[]; orgs uuid[]; types text[]; attempts integer[]; outs boolean[]; ats timestamptz[];
    numbers bigint[]; n integer;
begin
    select array_agg(p.id order by p.id) into picked from (
        (select j.id from jobs j where j.batch_id = batch and j.status = 'pending' order by j.id limit at_most)
        union all
        (select j.id from jobs j where j.batch_id = batch and j.status = 'running' order by j.id limit at_most)
        limit at_most) p;
    with locked as materialized (
        select j.id, j.due_at is null as was_out, greatest(now(), j.created_at, j.started_at) as at
        from unnest(picked) as p (id) join jobs j on j.id = p.id
        where (j.completed_at is null) is true order by j.id for update of j skip locked
    ), ended as (
        update jobs j set status = 'canceled', due_at = null, completed_at = l.at
        from locked l where j.id = l.id
        returning j.id, j.org_id, j.job_type, j.attempt, l.was_out, l.at
    )
    select array_agg(e.id order by e.id), array_agg(e.org_id order by e.id), array_agg(e.job_type order by e.id),
           array_agg(e.attempt order by e.id), array_agg(e.was_out order by e.id), array_agg(e.at order by e.id), count(*)
    into ids, orgs, types, attempts, outs, ats, n from ended e;
    if n > 0 then
        select array_agg(e.seq order by e.n) into numbers
        from append_events(ids, orgs, types, array_fill('canceled'::text, array[n]), array_fill('canceled'::text, array[n]),
                           attempts, ats,
                           array_fill(json_build_object('request_id', cancel_batch_jobs.request_id)::text, array[n])) e;
    end if;
    return query
    select u.id, true, u.was_out, u.attempt, u.at, u.seq
    from unnest(ids, outs, attempts, ats, numbers) as u (id, was_out, attempt, at, seq)
    union all
    select p.id, false, null, null, null, null from unnest(picked) as p (id) where p.id <> all (coalesce(ids, '{}'));
end $$;
