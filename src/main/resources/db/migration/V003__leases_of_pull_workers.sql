-- For how long pull workers may hold a job. Both null where the worker is in the service: the node ends its attempts
-- itself, and renews by its own setting.
alter table lease
  add column ends_at  timestamptz, -- when the attempt of a pull worker has timed out; it is not renewed beyond
  add column lease_ms bigint;      -- what a renewal lasts

-- Serves the claim, which asks whether a pull worker holds a job under which a worker died: few do.
create index lease_suspect on lease (worker) where ends_at is not null and recoveries > 0;
