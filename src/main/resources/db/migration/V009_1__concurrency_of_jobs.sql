-- Alone in its transaction: it locks all partitions for a moment.
alter table job
  add column concurrency_key   text,
  add column concurrency_limit integer check (concurrency_limit >= 1); -- both or none
