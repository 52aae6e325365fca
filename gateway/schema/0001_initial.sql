-- Who owns what.
create table organisations (
    id          uuid primary key,
    name        text not null,
    created_at  timestamptz not null default now()
);

-- The last number of each organisation's events. A row of its own, because it is the last lock of
-- every transaction that writes events, and must not collide with foreign keys to organisations.
create table event_counters (
    org_id      uuid primary key references organisations,
    seq         bigint not null default 0
);

create table tokens (
    id          uuid primary key,
    org_id      uuid not null references organisations,
    name        text not null,
    hash        bytea not null unique,          -- SHA-256 of the token; the token itself is never stored
    created_at  timestamptz not null default now(),
    revoked_at  timestamptz
);

create table therapeutic_candidates (
    id          uuid primary key,
    org_id      uuid not null references organisations,
    name        text not null,
    format      text not null check (format in ('mab', 'nanobody', 'scfv', 'fc_fusion')),
    created_at  timestamptz not null default now()
);

create table variants (
    id           uuid primary key,
    org_id       uuid not null references organisations,
    candidate_id uuid not null references therapeutic_candidates,
    name         text not null,
    format       text not null,
    chains       jsonb not null,                -- [{"kind": "heavy", "sequence": "EVQ…"}, …]
    created_at   timestamptz not null default now()
);
create index variants_of_candidate on variants (candidate_id);

-- A job that has not ended is waiting (due_at says from when it may be handed out) or out (due_at null).
create table jobs (
    id            uuid primary key,
    org_id        uuid not null,
    variant_id    uuid not null references variants,
    job_type      text not null,
    status        text not null default 'pending'
                  check (status in ('pending', 'running', 'completed', 'failed', 'canceled')),
    attempt       integer not null default 1,   -- raised whenever the job becomes waiting again
    tries         integer not null default 0,   -- failures, time-outs and deaths so far
    losses        integer not null default 0,   -- workers and brokers lost under it so far
    due_at        timestamptz,
    created_at    timestamptz not null default now(),
    started_at    timestamptz,                  -- of the first start; later attempts do not change it
    completed_at  timestamptz,
    step          text,
    fraction      double precision,
    error_code    text,
    error_message text,
    check ((completed_at is not null) = (status in ('completed', 'failed', 'canceled'))),
    check (due_at is null or status = 'pending'),
    check (created_at <= started_at and started_at <= completed_at)
);
create index jobs_waiting on jobs (job_type, org_id, due_at) where due_at is not null;
create index jobs_out on jobs (id) where due_at is null and completed_at is null;

create table results (
    job_id         uuid primary key references jobs,
    results        json not null,
    model_versions json not null
);

-- Append-only. Numbers of an organisation are 1, 2, 3 … in commit order.
create table events (
    org_id   uuid not null,
    seq      bigint not null,
    job_id   uuid not null,
    job_type text not null,
    type     text not null,
    status   text not null,
    attempt  integer not null,
    at       timestamptz not null,
    detail   json,                              -- step, fraction; code, message
    primary key (org_id, seq)
);
create index events_of_job on events (job_id, seq);

-- Writes events and numbers them. Locks the organisations' counters in the order of their ids, so it
-- must be the last statement of its transaction. Answers a row for each event, in the order given.
create function append_events(job_ids uuid[], org_ids uuid[], job_types text[], types text[],
                              statuses text[], attempts integer[], ats timestamptz[], details text[])
returns table (n bigint, seq bigint)
language plpgsql as $$
begin
    perform 1 from event_counters c where c.org_id = any (org_ids) order by c.org_id for update;
    return query
    with given as (
        select g.*, row_number() over (partition by g.org_id order by g.n) as k
        from unnest(job_ids, org_ids, job_types, types, statuses, attempts, ats, details)
             with ordinality as g (job_id, org_id, job_type, type, status, attempt, at, detail, n)
    ), counted as (
        update event_counters c set seq = c.seq + t.total
        from (select given.org_id, count(*) as total from given group by given.org_id) t
        where c.org_id = t.org_id
        returning c.org_id, c.seq - t.total as base
    ), written as (
        insert into events (org_id, seq, job_id, job_type, type, status, attempt, at, detail)
        select g.org_id, c.base + g.k, g.job_id, g.job_type, g.type, g.status, g.attempt, g.at,
               g.detail::json
        from given g join counted c on c.org_id = g.org_id
    )
    select g.n, c.base + g.k from given g join counted c on c.org_id = g.org_id order by g.n;
end $$;

-- Makes jobs. What is not the organisation's own variant is left out. A job is out at once if credit
-- was reserved for it and its organisation has nothing waiting of that type. Asked again with the
-- same ids it makes nothing twice, and answers as before, but without the number of the event.
create function submit_jobs(ids uuid[], org_ids uuid[], variant_ids uuid[], job_types text[],
                            reserved boolean[])
returns table (n bigint, is_out boolean, job_created_at timestamptz, event_seq bigint,
               variant_name text, variant_format text, variant_chains jsonb)
language plpgsql as $$
declare
    new_ids uuid[]; new_orgs uuid[]; new_types text[]; numbers bigint[];
begin
    with given as (
        select * from unnest(ids, org_ids, variant_ids, job_types, reserved)
                      as g (id, org_id, variant_id, job_type, reserved)
    ), owned as (
        select g.* from given g join variants v on v.id = g.variant_id and v.org_id = g.org_id
        for key share of v
    ), made as (
        insert into jobs (id, org_id, variant_id, job_type, due_at)
        select o.id, o.org_id, o.variant_id, o.job_type,
               case when o.reserved and not exists (
                        select 1 from jobs w where w.job_type = o.job_type and w.org_id = o.org_id
                        and w.due_at is not null) then null else now() end
        from owned o order by o.id
        on conflict (id) do nothing
        returning id, org_id, job_type
    )
    select array_agg(m.id order by m.id), array_agg(m.org_id order by m.id),
           array_agg(m.job_type order by m.id) into new_ids, new_orgs, new_types from made m;

    if new_ids is not null then
        select array_agg(e.seq order by e.n) into numbers
        from append_events(new_ids, new_orgs, new_types,
                           array_fill('created'::text, array[cardinality(new_ids)]),
                           array_fill('pending'::text, array[cardinality(new_ids)]),
                           array_fill(1, array[cardinality(new_ids)]),
                           array_fill(now(), array[cardinality(new_ids)]),
                           array_fill(null::text, array[cardinality(new_ids)])) e;
    end if;

    return query
    select g.n, j.due_at is null and j.status = 'pending' and j.attempt = 1, j.created_at, e.seq,
           v.name, v.format, v.chains
    from unnest(ids) with ordinality as g (id, n)
    join jobs j on j.id = g.id
    join variants v on v.id = j.variant_id
    left join unnest(new_ids, numbers) as e (id, seq) on e.id = g.id;
end $$;
