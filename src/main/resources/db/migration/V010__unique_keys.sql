-- Unique keys: at most one job of a queue holds a key. V010_1 to V010_3 are apart, so that no two tables are locked at once.

-- Who holds a key. A row comes in the transaction that writes its job, and goes in the statement that lets go of the key.
create table unique_key (
  job        uuid        not null unique, -- serves those who let go
  expires_at timestamptz, -- null unless time alone ends it
  queue      text        not null collate "C",
  key        text        not null collate "C",
  until      text        not null check (until in ('started', 'finished', 'expired')),
  primary key (queue, key),
  check ((until = 'expired') = (expires_at is not null))
);

-- Serves the removal of those that have expired.
create index unique_key_expires on unique_key (expires_at) where expires_at is not null;

alter table unique_key set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Of the jobs of a submit with an Idempotency-Key, those that were there already. Null for none, and in what the previous
-- version has written.
alter table idempotency_key add column merged uuid[];

-- Lets go of the keys that jobs hold in one of the ways named, in the very statement that moves the jobs, whichever it is:
-- none can forget it, nor can a node of the previous version. Jobs without a key cost a look into the index each; no scan may be
-- in the plan, however small the table was when it was made. The rows are locked in the order in which submits lock them. The
-- delete is a statement of its own, since the lock may have waited for a submit.
create function free_unique_keys() returns trigger
language plpgsql
set enable_seqscan = off
as $$
begin
  perform from unique_key
  where job = any(array(select id from moved)) and until = any(tg_argv)
  order by queue, key
  for update;
  if found then
    delete from unique_key where job = any(array(select id from moved)) and until = any(tg_argv);
  end if;
  return null;
end $$;
