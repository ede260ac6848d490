"""A round with a client made from the OpenAPI document: a queue, jobs, a worker of one's own, a schedule.

How to make the client stands in the README, "Generated clients". Usage: python3 round.py http://localhost:8080
"""
import sys
import uuid

import millpond
from millpond.models import (
    Batch, BatchedSubmission, Claim, Completion, Heartbeat, JobTemplate, QueueSettings, ReportedProgress,
    ScheduleSettings, Submission, Workers)

QUEUE = "round-python"

service = millpond.ApiClient(millpond.Configuration(host=sys.argv[1]))
jobs, queues = millpond.JobsApi(service), millpond.QueuesApi(service)
workers, schedules = millpond.WorkersApi(service), millpond.SchedulesApi(service)


def expect(what, seen, expected):
    if seen != expected:
        sys.exit(f"{what}: {seen} instead of {expected}")


# A queue for the workers in the service and for those of one's own.
queue = queues.set_queue(QUEUE, QueueSettings(workers=Workers.BOTH, cap=500))
expect("cap", queue.cap, 500)

# One job, awaited.
primes = jobs.submit_job_to_queue(
    QUEUE, Submission(type="demo.primes", payload={"upTo": 1000}, labels={"order": "17"}),
    prefer="wait=30", idempotency_key=str(uuid.uuid4()))
expect("primes", (primes.state, primes.result), ("succeeded", 168))

# A batch: the second job waits for the first.
batch = jobs.submit_batch(QUEUE, Batch(jobs=[
    BatchedSubmission(ref="first", type="demo.noop"),
    BatchedSubmission(type="demo.noop", depends_on=["first"])]))

# Its status, as often as it changes.
job = jobs.get_job(batch.ids[1])
while job.finished_at is None:
    job = jobs.get_job(batch.ids[1], prefer="wait=30")
expect("second of the batch", job.state, "succeeded")

# A list.
page = jobs.list_jobs(queue=QUEUE, label=["order:17"], limit=1)
expect("list", [one.id for one in page.items], [primes.id])

# Cancelled before it starts.
later = jobs.submit_job_to_queue(QUEUE, Submission(type="demo.noop", delay="PT1H"))
expect("cancelled", jobs.cancel_job(later.id).state, "cancelled")

# A full queue is a problem document, and says when to come back.
queues.set_queue(QUEUE + "-full", QueueSettings(cap=0))
try:
    jobs.submit_job_to_queue(QUEUE + "-full", Submission(type="demo.noop"))
    sys.exit("the full queue took a job")
except millpond.ApiException as refused:
    expect("full", (refused.status, refused.data.type), (503, "/problems/queue-full"))
    expect("told when", int(refused.headers["Retry-After"]) > 0, True)

# A worker: claim, heartbeat, complete.
jobs.submit_job_to_queue(QUEUE, Submission(type="resize", payload={"image": "17.png"}))
claimed = workers.claim_jobs(QUEUE, Claim(worker="round", types=["resize"], lease="PT30S"), prefer="wait=30")
expect("claimed", len(claimed.jobs), 1)
for one in claimed.jobs:
    token = one.lease.token
    held = workers.heartbeat(one.id, Heartbeat(token=token, progress=ReportedProgress(percent=50)))
    expect("asked to stop", held.cancel_requested, False)
    ended = workers.complete_job(one.id, Completion(token=token, result={"bytes": 4711}))
    expect("resized", ended.state, "succeeded")

# A schedule, which keeps what a later request does not name.
schedules.set_schedule(QUEUE, ScheduleSettings(
    cron="0 30 2 * * MON-FRI", time_zone="Europe/Berlin", queue=QUEUE, job=JobTemplate(type="demo.noop")))
paused = schedules.set_schedule(QUEUE, ScheduleSettings(paused=True))
expect("schedule", (paused.paused, paused.time_zone, paused.misfire), (True, "Europe/Berlin", "once"))
schedules.remove_schedule(QUEUE)

print("the round is done")
