package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.testing.ApiClient.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Lists: what they hold, and the way through their pages. */
class ListIT extends WholeApi {

  private List<String> list(String query) throws IOException {
    return ids(get("/v1/jobs?" + query).json().path("items"));
  }

  @Test
  void filtersAreJoined() throws IOException {
    String later = submit(LATER);
    String labelled =
        submit(
            "{\"type\":\"demo.fail\",\"payload\":{\"times\":1},\"delay\":\"PT1H\","
                + "\"tenant\":\"acme\",\"labels\":{\"order\":\"17:b\",\"shop\":\"x\"}}");
    String done = submit(NOOP);
    await(done, "succeeded");
    String ours = "queue=" + queue;

    assertThat(list(ours)).containsExactly(done, labelled, later);
    assertThat(list(ours + "&state=scheduled")).containsExactly(labelled, later);
    assertThat(list(ours + "&state=succeeded")).containsExactly(done);
    assertThat(list(ours + "&type=demo.fail")).containsExactly(labelled);
    assertThat(list(ours + "&tenant=acme")).containsExactly(labelled);
    assertThat(list(ours + "&tenant=acme&state=succeeded")).isEmpty();
    assertThat(list("tenant=" + queue)).isEmpty();
    assertThat(list(ours + "&label=order:17:b&label=shop:x")).containsExactly(labelled);
    assertThat(list(ours + "&label=order:17:b&label=shop:y")).isEmpty();
    assertThat(list(ours + "&state=scheduled&type=demo.noop")).containsExactly(later);
    String since = get("/v1/jobs/" + labelled).json().path("submittedAt").asString();
    assertThat(list(ours + "&submittedAfter=" + since)).containsExactly(done);
    assertThat(list("queue=never-seen")).isEmpty();
  }

  @Test
  void manyAreAskedForById() throws IOException {
    List<String> sent = List.of(submit(LATER), submit(LATER), submit(LATER));
    assertThat(list("id=" + sent.get(0) + "," + sent.get(2)))
        .containsExactly(sent.get(2), sent.get(0));
    assertThat(list("id=" + sent.get(1) + ",ffffffff-ffff-7fff-bfff-ffffffffffff"))
        .containsExactly(sent.get(1));
    String tooMany = String.join(",", java.util.Collections.nCopies(101, sent.get(0)));
    assertThat(get("/v1/jobs?id=" + tooMany).status()).isEqualTo(400);
  }

  @Test
  void partsAreIncludedOnDemand() throws IOException {
    String id = submit("{\"type\":\"demo.primes\",\"payload\":{\"upTo\":10}}");
    await(id, "succeeded");
    String ours = "/v1/jobs?queue=" + queue;
    JsonNode bare = get(ours).json().path("items").path(0);
    JsonNode full = get(ours + "&include=payload,result,attempts,log").json().path("items").path(0);
    for (String part : List.of("payload", "result", "attempts", "log")) {
      assertThat(bare.has(part)).as(part).isFalse();
      assertThat(full.has(part)).as(part).isTrue();
    }
    assertThat(full.path("payload").path("upTo").asInt()).isEqualTo(10);
    assertThat(full.path("result").toString()).contains("4");
  }

  @Test
  void pagesAreStableWhileJobsAreAdded() throws IOException {
    List<String> sent = new ArrayList<>();
    for (int n = 0; n < 7; n++) {
      sent.addFirst(submit(LATER));
    }
    List<String> seen = new ArrayList<>();
    String next = "/v1/jobs?limit=3&queue=" + queue;
    while (!next.isEmpty()) {
      Answer page = get(next);
      assertThat(page.json().path("items").size()).isLessThanOrEqualTo(3);
      seen.addAll(ids(page.json().path("items")));
      String cursor = page.json().path("nextCursor").asString("");
      next = page.header("Link").replaceFirst("<(.*)>; rel=\"next\"", "$1");
      assertThat(next.isEmpty()).isEqualTo(cursor.isEmpty());
      assertThat(next).contains(cursor);
      submit(LATER);
    }
    assertThat(seen).isEqualTo(sent);
  }

  @Test
  void queuesArePagedByName() throws IOException {
    for (String name : List.of("a", "b", "c", "d", "e")) {
      put("/v1/queues/" + queue + "-" + name, "{}");
    }
    List<String> seen = new ArrayList<>();
    String next = "/v1/queues?limit=2";
    while (!next.isEmpty()) {
      Answer page = get(next);
      page.json().path("items").forEach(item -> seen.add(item.path("name").asString()));
      next = page.header("Link").replaceFirst("<(.*)>; rel=\"next\"", "$1");
    }
    assertThat(seen)
        .isSorted()
        .doesNotHaveDuplicates()
        .contains(queue + "-a", queue + "-b", queue + "-c", queue + "-d", queue + "-e");
    String jobs = get("/v1/queues?limit=1").json().path("nextCursor").asString();
    assertThat(get("/v1/jobs?cursor=" + jobs).problem()).isEqualTo("invalid-cursor");
  }
}
