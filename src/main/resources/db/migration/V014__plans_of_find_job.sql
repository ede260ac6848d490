-- As in V001. Who calls it has planned for the columns that the view had, and every look of an open connection of the
-- previous version fails since V009_2 has added some: replaced, it is planned for anew. To be repeated with each change of the
-- view, in the same file.
create or replace function find_job(job_id uuid) returns setof job_status
language plpgsql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
  return query select * from job_status where id = job_id;
end $$;
