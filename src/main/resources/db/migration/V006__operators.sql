-- What operators do: pause a queue, bound how quickly its jobs start, keep its finished jobs for a time of their own; and
-- what was done, by whom. A node of the previous version heeds none of it.

alter table queue
  add column paused       boolean not null default false,
  add column rate_starts  integer check (rate_starts >= 1), -- both or none
  add column rate_per_ms  bigint  check (rate_per_ms >= 1),
  add column retention_ms bigint  check (retention_ms > 0);

-- When the last job of a queue was to start under its rate limit; the next may follow at the distance that the limit in force
-- says. Written by claims alone, under the lock of the queue's row.
create table start_rate (
  queue   text        not null primary key,
  last_at timestamptz not null
) with (fillfactor = 50);

-- What operators changed. Written before the change and once more after it, so that a change that was cut short shows.
create table audit (
  id      uuid        not null primary key, -- UUIDv7: serves the list, newest first, and the removal of what is old
  action  text        not null,
  queue   text        not null,
  client  text        not null,
  request text,   -- JSON as it was sent
  outcome text    -- JSON; null while it is at work, or if it was cut short
);

-- Serves the list of what was done to a queue.
create index audit_queue on audit (queue, id);
