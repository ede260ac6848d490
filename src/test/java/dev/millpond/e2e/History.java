package dev.millpond.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.SoftAssertions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** What the clients were told against what the service has: the promise, counted. */
final class History {

  private static final Logger log = LoggerFactory.getLogger(History.class);

  private History() {}

  /** To be called when the load has ended and its queue is drained. */
  static void assertKept(String what, ApiClient api, String queue, Load load) throws IOException {
    List<JsonNode> jobs = api.jobs("queue=" + queue);
    Map<String, Integer> jobsPerKey = new HashMap<>();
    Map<String, String> states = new HashMap<>();
    for (JsonNode job : jobs) {
      jobsPerKey.merge(job.path("labels").path("key").asString(""), 1, Integer::sum);
      states.put(job.path("id").asString(), job.path("state").asString());
    }
    Set<String> lost = new HashSet<>(load.acknowledged().values());
    lost.removeIf(id -> "succeeded".equals(states.get(id)));
    Set<String> invented = new HashSet<>(jobsPerKey.keySet());
    invented.removeAll(load.tried());
    Set<String> doubled = new HashSet<>(jobsPerKey.keySet());
    doubled.removeIf(key -> jobsPerKey.getOrDefault(key, 0) == 1);
    Set<String> neverLearnt = new HashSet<>(load.tried());
    neverLearnt.removeAll(load.acknowledged().keySet());
    Set<String> exist = new HashSet<>(neverLearnt);
    exist.retainAll(jobsPerKey.keySet());
    log.info(
        "{}: {} jobs acknowledged, of these not succeeded {} (target 0); jobs that nobody submitted"
            + " {} (0); keys with two jobs {} (0); tries without an answer {}, outcomes never"
            + " learnt {}, of which {} exist; refusals {}",
        what,
        load.acknowledged().size(),
        lost.size(),
        invented.size(),
        doubled.size(),
        load.unknown().size(),
        neverLearnt.size(),
        exist.size(),
        load.refused());
    SoftAssertions.assertSoftly(
        softly -> {
          softly.assertThat(lost).as("acknowledged, and not succeeded").isEmpty();
          softly.assertThat(invented).as("not submitted, and there").isEmpty();
          softly.assertThat(doubled).as("one key, two jobs").isEmpty();
          softly.assertThat(load.unexpected()).as("answers against the contract").isEmpty();
        });
    assertThat(states).as("each job once in the list").hasSameSizeAs(jobs);
  }
}
