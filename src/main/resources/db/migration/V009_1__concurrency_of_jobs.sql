-- Alone in its transaction: it locks all partitions for a moment.
alter table job
  add column concurrency_key   text,
  add column concurrency_limit integer; -- both or none; a check would have all partitions read, with everybody locked out
