-- As in V001, with those that wait for others.
create or replace view job_status as
select j.id, j.queue, j.type, j.priority, j.payload, j.labels, j.start_by, j.timeout_ms, j.initial_delay_ms,
       j.multiplier, j.max_delay_ms, j.tenant,
       coalesce(case when d.missing is null and d.key is null then d.due_at end, r.runnable_at, l.runnable_at, j.run_at)
         as run_at,
       case when f.id is not null then f.state
            when l.id is not null then case when l.cancel_requested then 'cancelling' else 'running' end
            when r.id is not null then 'queued'
            when d.missing is not null then 'blocked'
            when d.key is not null then 'queued'
            when d.attempt > 0 then 'retrying'
            else 'scheduled' end as state,
       coalesce(f.version, l.version, r.version, d.version) as version,
       coalesce(f.attempt, l.attempt, r.attempt, d.attempt) as attempt,
       coalesce(f.recoveries, l.recoveries, r.recoveries, d.recoveries) as recoveries,
       coalesce(f.max_attempts, l.max_attempts, r.max_attempts, d.max_attempts) as max_attempts,
       coalesce(f.started_at, l.started_at, r.started_at, d.started_at) as started_at,
       coalesce(f.leased_at, l.leased_at) as leased_at,
       coalesce(f.worker, l.worker) as worker,
       coalesce(f.progress_percent, l.progress_percent) as progress_percent,
       coalesce(f.progress_message, l.progress_message) as progress_message,
       coalesce(f.progress_at, l.progress_at) as progress_at,
       f.finished_at, f.result, f.error_type, f.error_message, r.rank,
       d.missing, d.key, j.concurrency_key, j.concurrency_limit
from job j
left join finished f on f.id = j.id
left join lease l on l.id = j.id
left join ready r on r.id = j.id
left join delayed d on d.id = j.id;
