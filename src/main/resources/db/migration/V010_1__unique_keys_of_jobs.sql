-- What a job that is sent back takes again. Null where it had no key, or one that time alone ends.
--
-- A job that waits may be replaced by a later submit with its key, so the comment in V001 holds no longer: "job" is updated by
-- that, and by nothing else.
alter table job
  add column unique_key   text,
  add column unique_until text;

-- A job that is removed holds nothing.
create trigger unique_keys_of_removed_jobs
after delete on job
referencing old table as moved
for each statement execute function free_unique_keys('started', 'finished', 'expired');
