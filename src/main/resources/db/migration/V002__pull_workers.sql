-- Workers over HTTP: which workers a queue has, which of its jobs they want, and how long they may hold them.

-- Null means: those in the service.
alter table queue add column workers text check (workers in ('service', 'pull', 'both'));

-- Null only in what the previous version has written since, which a claim by type does not find. So a queue should get
-- pull workers when no node of the previous version is left.
alter table ready add column type text;
update ready set type = job.type from job where job.id = ready.id;

-- Serves the claim of some types only, however many jobs of other types wait before them.
create index ready_next_of_type on ready (queue, type, priority desc, rank, id) where recoveries = 0;

-- Both null where the worker is in the service: the node ends its attempts itself, and renews by its own setting.
alter table lease
  add column ends_at  timestamptz, -- when the attempt of a pull worker has timed out; it is not renewed beyond
  add column lease_ms bigint;      -- what a renewal lasts
