-- Schedules: what to submit when, and what became of each due time. The row of a due time decides, whichever node finds
-- it due; nothing that a node remembers does. New tables only, which the previous version does not touch.

-- The settings that people edit, and how far the calendar has come: both change under the lock of one row, so both are
-- written by the same statements.
create table schedule (
  id          uuid        not null primary key, -- of this life of the name
  fired_to    timestamptz not null, -- each due time up to here has had its row
  created_at  timestamptz not null,
  updated_at  timestamptz not null, -- of the settings; what the nodes find changes by
  anchor      timestamptz not null, -- what "every" counts from
  every_ms    bigint      check (every_ms >= 1000),
  revision    integer     not null, -- rises with each change of the settings
  paused      boolean     not null,
  name        text        not null unique, -- serves the list
  cron        text,
  time_zone   text,
  queue       text        not null,
  misfire     text        not null check (misfire in ('skip', 'once', 'all')),
  overlap     text        not null check (overlap in ('allow', 'skip')),
  job         text        not null, -- JSON: what each firing submits
  check ((cron is null) <> (every_ms is null)),
  check ((cron is null) = (time_zone is null))
) with (fillfactor = 70); -- room for fired_to on the same page

-- What became of a due time, or of a trigger by hand. Few are kept of each schedule.
create table firing (
  schedule   uuid        not null references schedule on delete cascade,
  job        uuid,
  due_at     timestamptz not null,
  held_until timestamptz, -- while it is open: from when on another node may take it over
  decided_at timestamptz,
  triggered  boolean     not null, -- by hand; no due time is lost to one of the same moment
  state      text        not null check (state in ('open', 'fired', 'missed', 'skipped')),
  reason     text, -- why there is no job
  primary key (schedule, due_at, triggered), -- serves the last ones of a schedule
  check ((state = 'open') = (held_until is not null)),
  check ((state = 'open') = (decided_at is null)),
  check ((state = 'fired') = (job is not null))
);

-- Serves the search for what a node has left open.
create index firing_open on firing (held_until) where state = 'open';

-- Rows come and go: vacuum by count and not by share.
alter table schedule set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table firing set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
