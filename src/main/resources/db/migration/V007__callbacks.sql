-- Callbacks: who is told that a job has finished, and what came of telling them.

-- Whom to tell, as it was asked for by the submit; never updated.
create table callback (
  id  uuid not null, -- the job's
  url text not null,
  primary key (id)
) partition by range (id);

-- Calls that were made.
create table callback_attempt (
  id            uuid        not null,
  started_at    timestamptz not null,
  finished_at   timestamptz not null,
  version       integer     not null, -- of the finished job: each end of a job that is sent back is told of
  number        integer     not null,
  status        integer, -- null where there was no answer
  error_type    text, -- null where the target has taken it
  error_message text,
  primary key (id, version, number)
) partition by range (id);

-- Who is still to be told: few rows, which come in the commit that makes their job final, and go when the target has taken
-- it or is given up. due_at is when the next call may be made; while one is, when its node is given up.
create table callback_due (
  id         uuid        not null primary key,
  token      uuid, -- of the call that is being made
  due_at     timestamptz not null,
  ended_at   timestamptz not null,
  started_at timestamptz, -- of the call that is being made, or was the last one
  version    integer     not null,
  attempt    integer     not null, -- how many calls were begun
  host       text        not null
);

-- Serves the claim, which goes from host to host, so that one that hangs does not hold up the others.
create index callback_due_next on callback_due (host, due_at);

alter table callback_due set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Makes callbacks due in the very statement that makes their jobs final, whichever it is: none can forget it, nor can a node
-- of the previous version. Jobs without a callback cost a look into an index. No scan may be in the plan, however small the
-- tables were when it was made. A row that is there already is of an earlier end of the job.
create function make_callbacks_due() returns trigger
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  insert into callback_due (id, due_at, ended_at, version, attempt, host)
  select callback.id, now(), ended.finished_at, ended.version, 0,
         -- Cut, since what is longer than any host's name would not fit into the index.
         coalesce(left(lower(substring(callback.url from '^[^/]*//[^/?]*')), 300), '')
  from ended join callback on callback.id = ended.id
  on conflict (id) do update
  set token = null, due_at = excluded.due_at, ended_at = excluded.ended_at, started_at = null,
      version = excluded.version, attempt = 0;
  return null;
end $$;

-- Whom to tell of one job. Planned once a connection, as find_job is.
create function callback_url(job_id uuid) returns text
language plpgsql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
  return (select url from callback where id = job_id);
end $$;

-- As in V001, with the tables above.
create or replace procedure create_partitions(day date)
language plpgsql as $$
declare
  parent text;
  child  text;
  lower  uuid := uuid_floor(day::timestamp at time zone 'UTC');
  upper  uuid := uuid_floor((day + 1)::timestamp at time zone 'UTC');
begin
  perform pg_advisory_xact_lock(hashtext('millpond.partitions'));
  foreach parent in array array['job', 'finished', 'attempt', 'job_log', 'callback', 'callback_attempt'] loop
    child := parent || to_char(day, '_YYYYMMDD');
    if to_regclass(child) is null then
      execute format('create table %I (like %I including all)', child, parent);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, lower, upper);
    end if;
  end loop;
end $$;

-- As in V001, with the tables above: a day stays while somebody is still to be told of a job of it, and for as long as any
-- queue keeps its jobs, which a node of the previous version does not know. Days of before have no callbacks.
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
  lock table only job, only finished, only attempt, only job_log, only callback, only callback_attempt
    in access exclusive mode;
  if exists (select from ready where id >= lower and id < upper)
      or exists (select from delayed where id >= lower and id < upper)
      or exists (select from lease where id >= lower and id < upper)
      or exists (select from callback_due where id >= lower and id < upper) then
    return false;
  end if;
  execute format('drop table %I, %I, %I, %I',
    'job' || suffix, 'finished' || suffix, 'attempt' || suffix, 'job_log' || suffix);
  execute format('drop table if exists %I, %I', 'callback' || suffix, 'callback_attempt' || suffix);
  return true;
end $$;

-- Last, since it keeps writers of the table waiting until the commit.
create trigger callbacks_become_due
after insert on finished
referencing new table as ended
for each statement execute function make_callbacks_due();
