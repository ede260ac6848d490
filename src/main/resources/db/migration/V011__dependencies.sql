-- Dependencies: jobs that wait for others to end. They lie in "delayed" as V009 says. What a job depends on is written
-- once; what it still waits for is another table, whose rows come and go.

-- What a job depends on, as it was asked for by the submit; never updated.
create table dependency (
  id          uuid    not null, -- the job's that depends
  predecessor uuid    not null,
  place       integer not null, -- in the order in which they were named
  run_anyway  boolean not null, -- whether it is to run if the predecessor does not succeed, too
  primary key (id, predecessor)
) partition by range (id);

-- Serves the graph: who depends on a job.
create index dependency_predecessor on dependency (predecessor, id);

-- What is still waited for. A row goes in the statement that lowers "missing" of its job, and that is locked before it.
create table awaited (
  predecessor uuid    not null,
  id          uuid    not null, -- the job's that waits
  run_anyway  boolean not null,
  primary key (predecessor, id) -- serves the end of a predecessor
);

-- Serves the end of a job that waits.
create index awaited_id on awaited (id);

-- Ends that are still to be told to those who wait for them: each comes in the commit that makes its job final. Without a
-- key, since an end must never wait for who is telling another one of the same job.
create table dependency_due (
  number bigint generated always as identity primary key, -- serves the telling: the oldest first
  id     uuid   not null,
  state  text   not null
);

alter table awaited set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table dependency_due set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Makes ends known that somebody waits for, in the very statement that makes their jobs final, as make_callbacks_due does. Jobs
-- that nobody waits for cost a look into an index. It looks when the rows are locked that whoever submits a dependent
-- job locks as well: what was submitted before is seen.
create function make_dependencies_due() returns trigger
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  insert into dependency_due (id, state)
  select ended.id, ended.state
  from ended
  where exists (select from awaited where awaited.predecessor = ended.id);
  return null;
end $$;

-- Whether somebody waits for the job, at this very moment and not when the statement began.
create function is_awaited(job_id uuid) returns boolean
language plpgsql volatile
set enable_seqscan = off
as $$
begin
  return exists (select from awaited where predecessor = job_id);
end $$;

-- The type of a job at this very moment, since a submit with its unique key may just have given it another.
create function type_of(job_id uuid) returns text
language plpgsql volatile
set enable_seqscan = off
as $$
begin
  return (select type from job where id = job_id);
end $$;

-- What a job depends on. Planned once a connection, as find_job is.
create function dependencies_of(job_id uuid, out depends_on uuid[], out run_anyway boolean)
language plpgsql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
  select array_agg(d.predecessor order by d.place), bool_or(d.run_anyway) into depends_on, run_anyway
  from dependency d
  where d.id = job_id;
end $$;

-- As in V007, with the table above.
create or replace procedure create_partitions(day date)
language plpgsql as $$
declare
  parent text;
  child  text;
  lower  uuid := uuid_floor(day::timestamp at time zone 'UTC');
  upper  uuid := uuid_floor((day + 1)::timestamp at time zone 'UTC');
begin
  perform pg_advisory_xact_lock(hashtext('millpond.partitions'));
  foreach parent in array array['job', 'finished', 'attempt', 'job_log', 'callback', 'callback_attempt', 'dependency'] loop
    child := parent || to_char(day, '_YYYYMMDD');
    if to_regclass(child) is null then
      execute format('create table %I (like %I including all)', child, parent);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, lower, upper);
    end if;
  end loop;
end $$;

-- As in V007, with the table above. Nobody needs a predecessor's row any more: whoever waits for it is told by dependency_due.
create or replace function drop_partitions(day date, finished_before timestamptz) returns boolean
language plpgsql as $$
declare
  suffix text := to_char(day, '_YYYYMMDD');
  lower  uuid := uuid_floor(day::timestamp at time zone 'UTC');
  upper  uuid := uuid_floor((day + 1)::timestamp at time zone 'UTC');
  kept   boolean;
begin
  perform pg_advisory_xact_lock(hashtext('millpond.partitions'));
  if to_regclass('job' || suffix) is null then
    return false;
  end if;
  execute format('select exists (select from %I where finished_at >= $1)', 'finished' || suffix)
    into kept
    using least(finished_before, now() - (select max(retention_ms) from queue) * interval '1 ms');
  if kept then
    return false;
  end if;
  set local lock_timeout = '500ms';
  lock table only job, only finished, only attempt, only job_log, only callback, only callback_attempt, only dependency
    in access exclusive mode;
  if exists (select from ready where id >= lower and id < upper)
      or exists (select from delayed where id >= lower and id < upper)
      or exists (select from lease where id >= lower and id < upper)
      or exists (select from callback_due where id >= lower and id < upper) then
    return false;
  end if;
  execute format('drop table %I, %I, %I, %I',
    'job' || suffix, 'finished' || suffix, 'attempt' || suffix, 'job_log' || suffix);
  execute format('drop table if exists %I, %I, %I',
    'callback' || suffix, 'callback_attempt' || suffix, 'dependency' || suffix);
  return true;
end $$;

-- Last, since it keeps writers of the table waiting until the commit.
create trigger dependencies_become_due
after insert on finished
referencing new table as ended
for each statement execute function make_dependencies_due();
