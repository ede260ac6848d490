// A round with a client made from the OpenAPI document: a queue, jobs, a worker of one's own, a schedule.
// How to make the client stands in the README, "Generated clients". Usage: node round.mjs http://localhost:8080
import createClient from "openapi-fetch";
import type { paths } from "./millpond.mjs";

type Json = "application/json" | "application/problem+json"; // and not the lines of streams
const millpond = createClient<paths, Json>({ baseUrl: process.argv[2] });
const path = { queue: "round-typescript" };

function expect(what: string, seen: unknown, expected: unknown) {
  if (JSON.stringify(seen) !== JSON.stringify(expected)) {
    throw new Error(`${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`);
  }
}

/** The answer's body; throws the problem document where it was refused. */
async function ok<T>(call: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await call;
  if (data === undefined) {
    throw new Error(JSON.stringify(error));
  }
  return data;
}

// A queue for the workers in the service and for those of one's own.
const queue = await ok(
  millpond.PUT("/v1/queues/{queue}", { params: { path }, body: { workers: "both", cap: 500 } }));
expect("cap", queue.cap, 500);

// One job, awaited.
const primes = await ok(
  millpond.POST("/v1/queues/{queue}/jobs", {
    params: { path, header: { Prefer: "wait=30", "Idempotency-Key": crypto.randomUUID() } },
    body: { type: "demo.primes", payload: { upTo: 1000 }, labels: { order: "17" } },
  }));
expect("primes", [primes.state, primes.result], ["succeeded", 168]);

// A batch: the second job waits for the first.
const batch = await ok(
  millpond.POST("/v1/queues/{queue}/jobs/batch", {
    params: { path },
    body: { jobs: [{ ref: "first", type: "demo.noop" }, { type: "demo.noop", dependsOn: ["first"] }] },
  }));
const id = "ids" in batch ? batch.ids[1]! : "";

// Its status, as often as it changes.
let job = await ok(millpond.GET("/v1/jobs/{id}", { params: { path: { id } } }));
while (job.finishedAt === null) {
  job = await ok(
    millpond.GET("/v1/jobs/{id}", { params: { path: { id }, header: { Prefer: "wait=30" } } }));
}
expect("second of the batch", job.state, "succeeded");

// A list.
const page = await ok(
  millpond.GET("/v1/jobs", { params: { query: { queue: path.queue, label: ["order:17"], limit: 1 } } }));
expect("list", page.items.map((one) => one.id), [primes.id]);

// Cancelled before it starts.
const later = await ok(
  millpond.POST("/v1/queues/{queue}/jobs", { params: { path }, body: { type: "demo.noop", delay: "PT1H" } }));
const cancelled = await ok(
  millpond.POST("/v1/jobs/{id}/cancel", { params: { path: { id: later.id } } }));
expect("cancelled", cancelled.state, "cancelled");

// A full queue is a problem document, and says when to come back.
const full = { queue: path.queue + "-full" };
await ok(millpond.PUT("/v1/queues/{queue}", { params: { path: full }, body: { cap: 0 } }));
const refused = await millpond.POST("/v1/queues/{queue}/jobs", {
  params: { path: full },
  body: { type: "demo.noop" },
});
expect("full", [refused.error?.status, refused.error?.type], [503, "/problems/queue-full"]);
expect("told when", Number(refused.response.headers.get("Retry-After")) > 0, true);

// A worker: claim, heartbeat, complete.
await ok(
  millpond.POST("/v1/queues/{queue}/jobs", { params: { path }, body: { type: "resize", payload: { image: "17.png" } } }));
const { jobs } = await ok(
  millpond.POST("/v1/queues/{queue}/claims", {
    params: { path, header: { Prefer: "wait=30" } },
    body: { worker: "round", types: ["resize"], lease: "PT30S" },
  }));
for (const claimed of jobs) {
  const params = { path: { id: claimed.id } };
  const token = claimed.lease!.token;
  const held = await ok(
    millpond.POST("/v1/jobs/{id}/heartbeat", { params, body: { token, progress: { percent: 50 } } }));
  expect("asked to stop", held.cancelRequested, false);
  const ended = await ok(
    millpond.POST("/v1/jobs/{id}/complete", { params, body: { token, result: { bytes: 4711 } } }));
  expect("resized", ended.state, "succeeded");
}
expect("claimed", jobs.length, 1);

// A schedule, which keeps what a later request does not name.
const named = { params: { path: { schedule: "round-typescript" } } };
await ok(
  millpond.PUT("/v1/schedules/{schedule}", {
    ...named,
    body: { cron: "0 30 2 * * MON-FRI", timeZone: "Europe/Berlin", queue: path.queue, job: { type: "demo.noop" } },
  }));
const paused = await ok(
  millpond.PUT("/v1/schedules/{schedule}", { ...named, body: { paused: true } }));
expect("schedule", [paused.paused, paused.timeZone, paused.misfire], [true, "Europe/Berlin", "once"]);
const removed = await millpond.DELETE("/v1/schedules/{schedule}", named);
expect("removed", removed.response.status, 204);

console.log("the round is done");
