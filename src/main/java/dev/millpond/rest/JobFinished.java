package dev.millpond.rest;

import dev.millpond.callback.Notice;
import dev.millpond.job.Job;
import dev.millpond.rest.JobBodies.Part;
import java.time.Instant;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a callback sends, as Standard Webhooks recommends: what happened, when, and to which job.
 */
@Component
final class JobFinished implements Notice {

  private final JobBodies bodies;
  private final JsonMapper json;

  JobFinished(JobBodies bodies, JsonMapper json) {
    this.bodies = bodies;
    this.json = json;
  }

  private record Event(String type, @Nullable Instant timestamp, JobBody data) {}

  @Override
  public byte[] of(Job job) {
    // The callback itself is left out, so that each attempt sends the same.
    JobBody body = bodies.body(job, EnumSet.of(Part.PAYLOAD, Part.RESULT, Part.ATTEMPTS));
    return json.writeValueAsBytes(new Event("job.finished", job.finishedAt(), body));
  }
}
