-- The queue's tables: what churns is thin, what stays is appended once and dropped by the day.
--
-- A job is one row of "job" for its whole life and, at any moment, exactly one row of the four tables that say its
-- state: "delayed" (scheduled, retrying), "ready" (queued), "lease" (running, cancelling), "finished" (all final
-- states). Each change of state is one statement that deletes from one and inserts into another.

-- The settings that people edit. Null means: the service's default.
create table queue (
  name        text        primary key,
  max_wait_ms bigint      check (max_wait_ms > 0),
  cap         integer     check (cap >= 0),
  concurrency integer     check (concurrency >= 1),
  updated_at  timestamptz not null default now()
);

-- The job as it was submitted; never updated. Its id is a UUIDv7, so the day it was submitted finds its partition.
create table job (
  id               uuid             not null,
  run_at           timestamptz,
  start_by         timestamptz,
  timeout_ms       bigint           not null,
  initial_delay_ms bigint           not null,
  max_delay_ms     bigint           not null,
  multiplier       double precision not null,
  max_attempts     integer          not null,
  priority         smallint         not null,
  queue            text             not null,
  type             text             not null,
  tenant           text,
  labels           jsonb,
  traceparent      text,
  payload          text, -- JSON exactly as it was sent, checked at the door: json would parse it again
  primary key (id)
) partition by range (id);

-- Serves the list of a queue's jobs, newest first.
create index job_queue on job (queue, id);

-- May start now. rank orders jobs of one priority: with one tenant it is when the job became runnable, in microseconds
-- since 1970; between tenants it is earlier, by as much as fairness asks.
create table ready (
  id           uuid        not null primary key, -- serves cancel and status
  rank         bigint      not null,
  runnable_at  timestamptz not null,
  start_by     timestamptz,
  started_at   timestamptz, -- its first start; null if it never started
  version      integer     not null,
  attempt      integer     not null, -- how often it has started
  recoveries   integer     not null, -- how many of these starts ended with their worker's death
  max_attempts integer     not null,
  priority     smallint    not null,
  queue        text        not null,
  tenant       text
);

-- Serves the claim: only what it orders by, and never a finished row.
create index ready_next on ready (queue, priority desc, rank, id) where recoveries = 0;

-- Serves the claim of suspects: jobs under which a worker died, of which a node runs only one at a time.
create index ready_suspect on ready (queue, priority desc, rank, id) where recoveries > 0;

-- Serves the expiry of jobs whose startBy has passed.
create index ready_start_by on ready (start_by) where start_by is not null;

-- Waits for a time: for its runAt, or for its next attempt.
create table delayed (
  id           uuid        not null primary key,
  due_at       timestamptz not null,
  start_by     timestamptz,
  started_at   timestamptz,
  version      integer     not null,
  attempt      integer     not null,
  recoveries   integer     not null,
  max_attempts integer     not null,
  priority     smallint    not null,
  queue        text        not null,
  tenant       text
);

-- Serves the promotion of due jobs.
create index delayed_due on delayed (due_at);
create index delayed_start_by on delayed (start_by) where start_by is not null;

-- A worker holds it. Found by id and guarded by the token; few rows, so that expiry may look at all of them.
create table lease (
  id               uuid        not null primary key,
  token            uuid        not null,
  expires_at       timestamptz not null,
  leased_at        timestamptz not null, -- this attempt's start
  started_at       timestamptz not null, -- the job's first start
  rank             bigint      not null, -- to give it its place back
  runnable_at      timestamptz not null,
  version          integer     not null,
  attempt          integer     not null,
  recoveries       integer     not null,
  max_attempts     integer     not null,
  priority         smallint    not null,
  cancel_requested boolean     not null,
  progress_percent smallint,
  progress_at      timestamptz,
  incarnation      uuid        not null, -- the life of the process that holds it
  worker           text        not null,
  queue            text        not null,
  tenant           text,
  progress_message text
) with (fillfactor = 70); -- room for renewals and progress on the same page

-- A node's books, open for as long as it is heard of. Whoever submits locks the row for key share: nothing is admitted
-- by books that are closed.
create table account (
  id         uuid        not null primary key,
  node       text        not null,
  expires_at timestamptz not null
);

-- How many jobs wait, without a count: each statement that changes it adds a row here, in its own commit, and the rows of
-- an account are summed up into fewer every now and then. The sum of "waiting" is the depth, exactly, at any moment.
--
-- And who may admit how many more: "granted" is what an account took from the room under the cap. What it may still
-- admit is what was granted less what waits through it: a submit uses it up, and a claim gives it back to the account
-- that claims. So the cap holds, whoever submits and claims where, as long as
--   cap >= sum(waiting) + sum(greatest(0, granted - waiting) of each open account),
-- which whoever takes a grant checks under a lock; the submits need none. Of a closed account only "waiting" counts.
-- The queue '' stands for all queues together: what is granted of the cap of the whole service.
create table room (
  queue    text    not null,
  account  uuid    not null,
  tenant   text,
  waiting  bigint  not null,
  runnable bigint  not null, -- of those waiting, how many wait for nothing but a slot
  granted  bigint  not null
);

-- Serves the balance of one queue.
create index room_queue on room (queue);

-- How quickly each node starts a queue's jobs; kept over restarts, so that estimates are good from the beginning.
create table pace (
  queue      text             not null,
  node       text             not null,
  per_second double precision not null,
  fronts     bigint[]         not null, -- the ranks to which it has started jobs, by priority
  updated_at timestamptz      not null,
  refused_at timestamptz, -- when the node last sent a client away from a full queue
  primary key (queue, node)
);

-- How it ended. Never updated; deleted by a redrive or by the client's DELETE.
create table finished (
  id               uuid        not null,
  token            uuid, -- of the settlement that ended it, so that the same one sent twice is known
  finished_at      timestamptz not null,
  leased_at        timestamptz,
  started_at       timestamptz,
  version          integer     not null,
  attempt          integer     not null,
  recoveries       integer     not null,
  max_attempts     integer     not null,
  progress_percent smallint,
  progress_at      timestamptz,
  state            text        not null,
  worker           text,
  progress_message text,
  error_type       text,
  error_message    text,
  result           text,
  primary key (id)
) partition by range (id);

-- Serves lists by state. Most jobs succeed: these are found by id, and pay no index.
create index finished_state on finished (state, id) where state <> 'succeeded';

-- Attempts that were followed by another; the last one is told by "lease" or "finished".
create table attempt (
  id            uuid        not null,
  token         uuid, -- as in finished; null where the worker was lost
  started_at    timestamptz not null,
  finished_at   timestamptz not null,
  number        integer     not null,
  worker        text        not null,
  error_type    text,
  error_message text,
  primary key (id, number)
) partition by range (id);

-- What the handlers logged.
create table job_log (
  id      uuid        not null,
  at      timestamptz not null,
  attempt integer     not null,
  number  bigint      not null, -- rises with time
  line    text        not null,
  primary key (id, attempt, number)
) partition by range (id);

-- A key that was used on a submit, in the scope of its path. Unique over all time that it is kept, so not partitioned.
create table idempotency_key (
  key         bytea       not null primary key, -- SHA-256 of scope and key
  fingerprint bytea       not null,             -- SHA-256 of the body
  created_at  timestamptz not null default now(),
  jobs        uuid[]      not null
);

-- Serves the removal of old keys: they come in the order of time.
create index idempotency_key_created on idempotency_key using brin (created_at);

-- Rows come and go: vacuum by count and not by share, or an emptied table stays large.
alter table ready set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table delayed set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
alter table lease set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table room set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- The job as a client sees it: the one place in SQL that knows which table means which state.
create view job_status as
select j.id, j.queue, j.type, j.priority, j.payload, j.labels, j.start_by, j.timeout_ms, j.initial_delay_ms,
       j.multiplier, j.max_delay_ms, j.tenant, coalesce(d.due_at, r.runnable_at, l.runnable_at, j.run_at) as run_at,
       case when f.id is not null then f.state
            when l.id is not null then case when l.cancel_requested then 'cancelling' else 'running' end
            when r.id is not null then 'queued'
            when d.attempt > 0 then 'retrying'
            else 'scheduled' end as state,
       coalesce(f.version, l.version, r.version, d.version) as version,
       coalesce(f.attempt, l.attempt, r.attempt, d.attempt) as attempt,
       coalesce(f.recoveries, l.recoveries, r.recoveries, d.recoveries) as recoveries,
       coalesce(f.max_attempts, l.max_attempts, r.max_attempts, d.max_attempts) as max_attempts,
       coalesce(f.started_at, l.started_at, r.started_at, d.started_at) as started_at,
       coalesce(f.leased_at, l.leased_at) as leased_at,
       coalesce(f.worker, l.worker) as worker,
       coalesce(f.progress_percent, l.progress_percent) as progress_percent,
       coalesce(f.progress_message, l.progress_message) as progress_message,
       coalesce(f.progress_at, l.progress_at) as progress_at,
       f.finished_at, f.result, f.error_type, f.error_message, r.rank
from job j
left join finished f on f.id = j.id
left join lease l on l.id = j.id
left join ready r on r.id = j.id
left join delayed d on d.id = j.id;

-- One job as a client sees it. The plan is made once a connection and finds the partition when it runs: the planner
-- would choose to plan anew for every id, over all partitions. No scan may be in it, however small the tables were then.
create function find_job(job_id uuid) returns setof job_status
language plpgsql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
  return query select * from job_status where id = job_id;
end $$;

-- The smallest UUIDv7 of a moment: its milliseconds, and zeros.
create function uuid_floor(moment timestamptz) returns uuid
language sql stable parallel safe
return (lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- Makes the partitions of one day (UTC) in all partitioned tables. Attaching, unlike "create … partition of", does not
-- lock readers and writers out. The advisory lock makes nodes that start together take turns.
create procedure create_partitions(day date)
language plpgsql as $$
declare
  parent text;
  child  text;
  lower  uuid := uuid_floor(day::timestamp at time zone 'UTC');
  upper  uuid := uuid_floor((day + 1)::timestamp at time zone 'UTC');
begin
  perform pg_advisory_xact_lock(hashtext('millpond.partitions'));
  foreach parent in array array['job', 'finished', 'attempt', 'job_log'] loop
    child := parent || to_char(day, '_YYYYMMDD');
    if to_regclass(child) is null then
      execute format('create table %I (like %I including all)', child, parent);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, lower, upper);
    end if;
  end loop;
end $$;

-- Drops the partitions of one day if nothing in them is alive or was finished after the given moment. The look at the
-- finished jobs comes first and takes no lock; then the parents are locked, as everyone locks parents before children,
-- and only the three small tables are looked at, since nothing finishes that is not alive. Waits for half a second.
create function drop_partitions(day date, finished_before timestamptz) returns boolean
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
    into kept using finished_before;
  if kept then
    return false;
  end if;
  set local lock_timeout = '500ms';
  lock table only job, only finished, only attempt, only job_log in access exclusive mode;
  if exists (select from ready where id >= lower and id < upper)
      or exists (select from delayed where id >= lower and id < upper)
      or exists (select from lease where id >= lower and id < upper) then
    return false;
  end if;
  execute format('drop table %I, %I, %I, %I',
    'job' || suffix, 'finished' || suffix, 'attempt' || suffix, 'job_log' || suffix);
  return true;
end $$;
