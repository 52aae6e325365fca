-- Lists of jobs, newest first, each page one walk backwards in an index however many jobs there are.
-- Ascending, because new jobs come at the end, where a B-tree splits its pages in the best way.
--
-- Each has a condition that every row fulfils and that no other statement names. Without it the planner,
-- whose plans may be older than the rows, takes them for those too: the look whether something waits
-- would read all jobs of an organisation, a submission all jobs of its variant.
create index jobs_of_org on jobs (org_id, created_at, id) where created_at is not null;
create index jobs_by_kind on jobs (org_id, job_type, status, created_at, id) where status is not null;
create index jobs_of_variant on jobs (variant_id, job_type, status, created_at, id)
    where status is not null;
