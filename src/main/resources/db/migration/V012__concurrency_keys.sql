-- Concurrency keys: which jobs of a key may start or run, and of which keys somebody must look whether another one may.
-- New tables only; the previous version writes to neither.

-- A job that was let out of its key's line. The row says no more than that: whether the slot is taken is told by where its job
-- is, so none is ever lost, whoever ended the job and however. What is taken no more is deleted when the key is looked at.
create table key_slot (
  id    uuid    not null primary key, -- the job's
  alone boolean not null, -- of a limit of 1: keeps its slot while it waits for its next attempt, so that the order holds
  queue text    not null,
  key   text    not null
);

-- Serves the count of a key's slots.
create index key_slot_key on key_slot (queue, key);

-- Somebody has come to the key's line, or left it, since it was looked at. Written in the commit in which that happens, so that
-- a node which stops before it has looked leaves a note to the others.
create table key_note (
  queue text not null,
  key   text not null
);

create index key_note_key on key_note (queue, key);

-- The one place in SQL that knows when a slot is taken. Each look is by a primary key.
create view key_slot_status as
select slot.id, slot.alone, slot.queue, slot.key,
       coalesce(
         (select lease.id from lease where lease.id = slot.id),
         (select ready.id from ready where ready.id = slot.id),
         case when slot.alone
           then (select delayed.id from delayed
                 where delayed.id = slot.id and delayed.started_at is not null and delayed.key is null)
         end) is not null as taken
from key_slot slot;

-- Rows come and go: vacuum by count and not by share.
alter table key_slot set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table key_note set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
