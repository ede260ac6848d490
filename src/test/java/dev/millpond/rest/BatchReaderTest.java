package dev.millpond.rest;

import static dev.millpond.rest.SubmissionReaderTest.pointers;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millpond.rest.SubmissionReader.Batch;
import dev.millpond.rest.SubmissionReader.Candidate;
import dev.millpond.rest.SubmissionReader.Context;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchReaderTest {

  private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
  private static final String GOOD = "{\"type\":\"a\"}";

  @Test
  void jobsComeInTheOrderSentAndAtomicIsTheDefault() {
    Batch batch = read("{\"jobs\":[{\"type\":\"b\",\"payload\":[1]}," + GOOD + "]}");
    assertThat(batch.atomic()).isTrue();
    assertThat(batch.candidates())
        .extracting(item -> item instanceof Candidate.Good good ? good.submission().type() : "bad")
        .containsExactly("b", "a");
    assertThat(batch.candidates().getFirst())
        .isInstanceOfSatisfying(
            Candidate.Good.class, good -> assertThat(good.submission().payload()).isEqualTo("[1]"));
  }

  @Test
  void anAtomicBatchIsRefusedWithAllErrorsOfAllItsJobs() {
    assertThat(pointers(refusal("{\"jobs\":[" + GOOD + ",{\"type\":\"a\",\"priority\":10},{},7]}")))
        .containsExactly("/jobs/1/priority", "/jobs/2/type", "/jobs/3");
  }

  @Test
  void aBatchInPartsKeepsItsGoodJobs() {
    Batch batch =
        read(
            "{\"jobs\":["
                + GOOD
                + ",{\"type\":\"a\",\"priority\":10},"
                + GOOD
                + "],\"atomic\":false}");
    assertThat(batch.candidates())
        .hasExactlyElementsOfTypes(Candidate.Good.class, Candidate.Bad.class, Candidate.Good.class);
    assertThat(batch.candidates().get(1))
        .isInstanceOfSatisfying(
            Candidate.Bad.class,
            bad -> assertThat(pointers(bad.problem())).containsExactly("/jobs/1/priority"));
  }

  @Test
  void anotherTenantThanTheHeadersIsItsJobsOwnTrouble() {
    String other = "{\"type\":\"a\",\"tenant\":\"other\"}";
    Batch batch = read("{\"atomic\":false,\"jobs\":[" + GOOD + "," + other + "]}", "acme");
    assertThat(batch.candidates().getFirst())
        .isInstanceOfSatisfying(
            Candidate.Good.class, good -> assertThat(good.submission().tenant()).isEqualTo("acme"));
    assertThat(batch.candidates().get(1))
        .isInstanceOfSatisfying(
            Candidate.Bad.class,
            bad -> assertThat(pointers(bad.problem())).containsExactly("/jobs/1/tenant"));
  }

  @Test
  void aLargePayloadIsItsJobsOwnTrouble() {
    String large = "{\"type\":\"a\",\"payload\":\"" + "x".repeat(262_143) + "\"}";
    Batch batch = read("{\"atomic\":false,\"jobs\":[" + GOOD + "," + large + "]}");
    assertThat(batch.candidates().get(1))
        .isInstanceOfSatisfying(
            Candidate.Bad.class, bad -> assertThat(bad.problem().status()).isEqualTo(413));
    assertThat(refusal("{\"jobs\":[" + GOOD + "," + large + "]}").status()).isEqualTo(413);
    assertThat(refusal("{\"jobs\":[{}," + large + "]}").status()).isEqualTo(400);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | /jobs",
        "{\"jobs\":[]} | /jobs",
        "{\"jobs\":{}} | /jobs",
        "{\"jobs\":null} | /jobs",
        "{\"jobs\":[{\"type\":\"a\"}],\"atomic\":\"no\"} | /atomic",
        "{\"jobs\":[{\"type\":\"a\"}],\"atomicc\":true} | /atomicc",
        "{\"jobs\":[{\"type\":\"a\"}],\"jobs\":[{\"type\":\"a\"}]} | /jobs",
        "{\"jobs\":[{\"type\":\"a\"}],\"atomic\":false,\"x\":0} | /x",
        "{\"jobs\":[{\"type\":\"a\"},{?}],\"atomic\":false} | /jobs/1",
      })
  void aWrongEnvelopeRefusesTheWhole(String body, String pointer) {
    assertThat(pointers(refusal(body))).containsExactly(pointer);
  }

  @Test
  void aThousandJobsAreTakenAndNoMore() {
    assertThat(read(batchOf(1_000)).candidates()).hasSize(1_000);
    ProblemDocument problem = refusal(batchOf(1_001));
    assertThat(problem.type()).isEqualTo("/problems/batch-too-large");
    assertThat(problem.extensions()).containsEntry("limit", 1_000);
  }

  private static String batchOf(int jobs) {
    List<String> all = Collections.nCopies(jobs, GOOD);
    return "{\"jobs\":[" + String.join(",", all) + "]}";
  }

  private static Batch read(String body) {
    return read(body, null);
  }

  private static Batch read(String body, @Nullable String tenant) {
    return SubmissionReader.readBatch(body.getBytes(UTF_8), new Context(NOW, tenant, null));
  }

  private static ProblemDocument refusal(String body) {
    return catchThrowableOfType(ProblemException.class, () -> read(body)).document();
  }
}
