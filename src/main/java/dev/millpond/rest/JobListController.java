package dev.millpond.rest;

import dev.millpond.admission.Tenant;
import dev.millpond.job.Job;
import dev.millpond.job.JobFilter;
import dev.millpond.job.JobPage;
import dev.millpond.job.JobState;
import dev.millpond.job.Jobs;
import dev.millpond.queue.QueueName;
import dev.millpond.rest.JobBodies.Part;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Lists of jobs, newest first. */
@RestController
@RequestMapping(produces = MediaType.APPLICATION_JSON_VALUE)
class JobListController {

  private static final int MAX_IDS = 100;

  private final Jobs jobs;
  private final JobBodies bodies;

  JobListController(Jobs jobs, JobBodies bodies) {
    this.jobs = jobs;
    this.bodies = bodies;
  }

  /** A page of jobs. */
  record Page(List<JobBody> items, @Nullable String nextCursor) {}

  @Answers(Problem.INVALID_CURSOR)
  @ReadsQuery
  @GetMapping("/v1/jobs")
  ResponseEntity<Page> list(HttpServletRequest request) {
    ListQuery query =
        ListQuery.of(
            request,
            Cursor.JOBS,
            "id",
            "queue",
            "state",
            "type",
            "tenant",
            "label",
            "submittedAfter",
            "include");
    Set<Part> parts = parts(query);
    Optional<String> ids = query.filter("id");
    if (ids.isPresent()) {
      return ResponseEntity.ok(new Page(bodies(byId(ids.get()), parts), null));
    }
    UUID after = query.after() == null ? null : UUID.fromString(query.after());
    JobPage page =
        jobs.list(filter(query), after, query.limit(), parts.contains(Part.DEPENDENCIES));
    String next = page.next() == null ? null : Cursor.JOBS.encode(page.next().toString());
    return NextPage.link(request, next).body(new Page(bodies(page.jobs(), parts), next));
  }

  private List<JobBody> bodies(List<Job> list, Set<Part> parts) {
    return list.stream().map(job -> bodies.body(job, parts)).toList();
  }

  private List<Job> byId(String list) {
    List<UUID> ids = Arrays.stream(list.split(",", -1)).map(JobListController::id).toList();
    if (ids.size() > MAX_IDS) {
      throw ListQuery.invalid("id", "holds at most " + MAX_IDS + " ids");
    }
    return jobs.findAll(ids).values().stream()
        .sorted(Comparator.comparing(Job::id).reversed())
        .toList();
  }

  private static UUID id(String text) {
    try {
      return PathParts.job(text);
    } catch (ProblemException notAnId) {
      throw ListQuery.invalid("id", "holds ids of jobs, separated by commas");
    }
  }

  private static JobFilter filter(ListQuery query) {
    return new JobFilter(
        query.filter("queue").map(JobListController::queue).orElse(null),
        query.filter("state").map(JobListController::state).orElse(null),
        query.filter("type").map(JobListController::type).orElse(null),
        query.filter("tenant").map(JobListController::tenant).orElse(null),
        labels(query),
        query.filter("submittedAfter").map(JobListController::instant).orElse(null));
  }

  private static String queue(String name) {
    if (!QueueName.isValid(name)) {
      throw ListQuery.invalid("queue", "is a queue's name, which matches " + QueueName.PATTERN);
    }
    return name;
  }

  private static String type(String name) {
    if (!QueueName.isValid(name)) {
      throw ListQuery.invalid("type", "is a type's name, which matches " + QueueName.PATTERN);
    }
    return name;
  }

  private static String tenant(String name) {
    if (!Tenant.isValid(name)) {
      throw ListQuery.invalid("tenant", "is a tenant's name, which matches " + Tenant.PATTERN);
    }
    return name;
  }

  private static JobState state(String label) {
    if (!JobState.labels().contains(label)) {
      throw ListQuery.invalid(
          "state", "is one of " + String.join(", ", JobState.labels().stream().sorted().toList()));
    }
    return JobState.of(label);
  }

  private static Map<String, String> labels(ListQuery query) {
    Map<String, String> labels = new HashMap<>();
    for (String label : query.filters().getOrDefault("label", List.of())) {
      int colon = label.indexOf(':');
      if (colon < 1) {
        throw ListQuery.invalid("label", "is a name and a value with a colon between them");
      }
      labels.put(label.substring(0, colon), label.substring(colon + 1));
    }
    return labels;
  }

  private static Instant instant(String text) {
    return Iso.instant(text)
        .orElseThrow(
            () -> ListQuery.invalid("submittedAfter", "is an RFC 3339 instant from 1970 on"));
  }

  private static Set<Part> parts(ListQuery query) {
    Set<Part> parts = EnumSet.noneOf(Part.class);
    for (String name :
        query.filter("include").map(list -> list.split(",", -1)).orElse(new String[0])) {
      parts.add(
          Arrays.stream(Part.values())
              .filter(part -> part.name().toLowerCase(Locale.ROOT).equals(name))
              .findFirst()
              .orElseThrow(
                  () ->
                      ListQuery.invalid(
                          "include",
                          "names payload, result, attempts, log, callback or dependencies")));
    }
    return parts;
  }
}
