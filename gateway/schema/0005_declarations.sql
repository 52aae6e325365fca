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
    for each row execute function tell_settings(); -- most of what workers say changes no row

alter table results add files json;         -- {name: {media_type, content}}; null: none
alter table jobs add error_details json;    -- what a failed job had reached, as its pipeline says
alter table jobs add earlier jsonb;         -- {job type: id} of the completed jobs that come along as inputs
alter table jobs add batch_id uuid;         -- the panel that it was submitted with

-- The newest completed job of a variant, of each type. The condition is written as only submit_jobs asks it, so that
-- no other statement takes this index for one of a list, and submit_jobs no list for this.
create index jobs_newest on jobs (variant_id, job_type, completed_at desc, id) where (status = 'completed') is not false;
-- Each job that waits leaves a dead entry in jobs_waiting, and who looks for the first reads past them: so vacuum
-- comes after a number of jobs, and not after a share of all that there ever were.
alter table jobs set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 20000);

-- What a panel comes to.
create index jobs_of_batch on jobs (batch_id, status, id) where batch_id is not null;

-- Makes jobs. What is not the organisation's own variant is left out. A job is out at once if credit was
-- reserved for it, no limit counts for it, nothing of its organisation, type and class or a higher one
-- waits, and nothing large comes along: results of earlier jobs, long options. Those the sweep reads one by one.
-- The earlier jobs are fixed here, so that each attempt gets the same inputs. Asked again with the same ids it
-- makes nothing twice, and answers as before, but without the number of the event. One that repeats another
-- (resubmit_of) has its options.
drop function submit_jobs(uuid[], uuid[], uuid[], text[], boolean[]);
create function submit_jobs(ids uuid[], org_ids uuid[], variant_ids uuid[], job_types text[],
                            reserved boolean[], priorities smallint[], request_ids text[],
                            resubmit_ofs uuid[], options text[], batch_ids uuid[])
returns table (n bigint, is_out boolean, job_created_at timestamptz, event_seq bigint,
               variant_name text, variant_format text, variant_chains jsonb, job_options json)
language plpgsql as $$
declare
    new_ids uuid[]; new_orgs uuid[]; new_types text[]; new_details text[]; numbers bigint[];
    any_limits boolean := exists (select 1 from limits);
    earliers jsonb[];
begin
    if exists (select 1 from declarations d where d.wants <> '{}' and d.job_type = any (job_types)) then
        select array_agg(e.earlier order by g.n) into earliers
        from unnest(variant_ids, job_types) with ordinality as g (variant_id, job_type, n) cross join lateral (
            select jsonb_object_agg(w.job_type, c.id) as earlier
            from declarations d cross join unnest(d.wants) as w (job_type) cross join lateral (
                select j.id from jobs j where j.variant_id = g.variant_id and j.job_type = w.job_type
                and (j.status = 'completed') is not false order by j.completed_at desc, j.id limit 1) c
            where d.job_type = g.job_type) e;
    end if;

    with given as (
        select * from unnest(ids, org_ids, variant_ids, job_types, reserved, priorities, request_ids,
                             resubmit_ofs, options, batch_ids, earliers)
                      as g (id, org_id, variant_id, job_type, reserved, priority, request_id, resubmit_of,
                            options, batch_id, earlier)
    ), owned as (
        select g.* from given g join variants v on v.id = g.variant_id and v.org_id = g.org_id
        for key share of v
    ), whole as materialized (
        select o.*,
               case when o.resubmit_of is null then o.options
                    else (select f.options::text from jobs f where f.id = o.resubmit_of and f.org_id = o.org_id)
                    end as asked
        from owned o
    ), classed as (
        select w.*, row_number() over (partition by w.org_id, w.job_type, w.priority order by not w.reserved) as nth
        from whole w
    ), judged as ( -- once for each organisation, type and class: behind a backlog it reads many dead entries
        select c.*, coalesce(bool_or(case when c.nth = 1 and c.reserved then exists (
                   select 1 from jobs w where w.job_type = c.job_type and w.org_id = c.org_id
                   and w.priority <= c.priority and w.due_at is not null) end)
               over (partition by c.org_id, c.job_type, c.priority), false) as behind
        from classed c
    ), made as (
        insert into jobs (id, org_id, variant_id, job_type, priority, request_id, resubmit_of, options, earlier,
                          batch_id, due_at)
        select o.id, o.org_id, o.variant_id, o.job_type, o.priority, o.request_id, o.resubmit_of, o.asked::json,
               o.earlier, o.batch_id,
               case when o.reserved and o.earlier is null and coalesce(octet_length(o.asked) <= 2000, true)
                    and not (any_limits
                        and (exists (select 1 from limits l where l.org_id = o.org_id
                                     and (l.job_type = o.job_type or l.job_type is null))
                             or exists (select 1 from limits l where l.org_id is null
                                        and l.job_type = o.job_type)))
                    and not o.behind
                    then null else now() end
        from judged o order by o.id
        on conflict (id) do nothing
        returning id, org_id, job_type, variant_id, request_id
    )
    select array_agg(m.id order by m.id), array_agg(m.org_id order by m.id),
           array_agg(m.job_type order by m.id),
           array_agg(json_strip_nulls(json_build_object('variant_id', m.variant_id,
                                                        'request_id', m.request_id))::text order by m.id)
    into new_ids, new_orgs, new_types, new_details from made m;

    if new_ids is not null then
        select array_agg(e.seq order by e.n) into numbers
        from append_events(new_ids, new_orgs, new_types,
                           array_fill('created'::text, array[cardinality(new_ids)]),
                           array_fill('pending'::text, array[cardinality(new_ids)]),
                           array_fill(1, array[cardinality(new_ids)]),
                           array_fill(now(), array[cardinality(new_ids)]), new_details) e;
    end if;

    -- Numbers are in the order of the new ids, so the k-th of these has the k-th.
    return query
    select g.n, j.due_at is null and j.status = 'pending' and j.attempt = 1, j.created_at,
           case when g.made then numbers[count(*) filter (where g.made) over (order by g.id)] end,
           v.name, v.format, v.chains, 
           case when j.due_at is null and octet_length(j.options::text) <= 2000 then j.options end
    from (select u.id, u.n, u.id in (select unnest(new_ids)) as made
          from unnest(ids) with ordinality as u (id, n)) g
    join jobs j on j.id = g.id
    join variants v on v.id = j.variant_id;
end $$;
