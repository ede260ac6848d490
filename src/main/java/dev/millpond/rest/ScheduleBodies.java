package dev.millpond.rest;

import static java.util.Objects.requireNonNullElse;

import dev.millpond.admission.Submission;
import dev.millpond.job.Job;
import dev.millpond.job.Jobs;
import dev.millpond.rest.ScheduleBody.Fired;
import dev.millpond.rest.ScheduleBody.Target;
import dev.millpond.rest.ScheduleBody.Template;
import dev.millpond.schedule.Cron;
import dev.millpond.schedule.Every;
import dev.millpond.schedule.Firing;
import dev.millpond.schedule.Schedule;
import dev.millpond.schedule.Schedule.Settings;
import dev.millpond.schedule.Schedules;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Makes answers of schedules. */
@Component
final class ScheduleBodies {

  private static final int NEXT = 5;
  private static final int LAST = 20;

  private final Schedules schedules;
  private final Jobs jobs;

  ScheduleBodies(Schedules schedules, Jobs jobs) {
    this.schedules = schedules;
    this.jobs = jobs;
  }

  /** A schedule with all that is known of it. */
  ScheduleBody whole(Schedule schedule) {
    String payload = requireNonNullElse(schedule.settings().job().payload(), "null");
    return body(schedule, payload, fired(schedules.firings(schedule, LAST)));
  }

  /** A schedule as lists have it. */
  ScheduleBody item(Schedule schedule) {
    return body(schedule, null, null);
  }

  private ScheduleBody body(
      Schedule schedule, @Nullable String payload, @Nullable List<Fired> firings) {
    Settings settings = schedule.settings();
    Cron cron = settings.dueTimes() instanceof Cron one ? one : null;
    Every every = settings.dueTimes() instanceof Every one ? one : null;
    List<Instant> next =
        settings.paused() ? List.of() : settings.dueTimes().next(schedules.now(), NEXT);
    return new ScheduleBody(
        schedule.name(),
        cron == null ? null : cron.expression(),
        every == null ? null : every.period(),
        cron == null ? null : cron.zone().getId(),
        settings.queue().value(),
        template(settings.job(), payload),
        settings.misfire().label(),
        settings.overlap().label(),
        settings.paused(),
        next,
        firings,
        schedule.createdAt(),
        schedule.updatedAt(),
        links(schedule));
  }

  private static Template template(Submission job, @Nullable String payload) {
    return new Template(
        job.type(),
        payload,
        job.priority(),
        job.timeout(),
        job.retry(),
        job.tenant(),
        job.labels(),
        job.callback() == null ? null : new Target(job.callback()),
        job.concurrency());
  }

  private List<Fired> fired(List<Firing> firings) {
    Map<UUID, Job> known =
        jobs.findAll(firings.stream().map(Firing::job).filter(Objects::nonNull).toList());
    return firings.stream().map(firing -> fired(firing, known)).toList();
  }

  private static Fired fired(Firing firing, Map<UUID, Job> known) {
    return new Fired(
        firing.dueAt(),
        firing.triggered(),
        firing.state().label(),
        firing.reason(),
        firing.job(),
        Optional.ofNullable(firing.job())
            .map(known::get)
            .map(job -> job.state().label())
            .orElse(null),
        firing.decidedAt());
  }

  private static Map<String, String> links(Schedule schedule) {
    String self = "/v1/schedules/" + schedule.name();
    Map<String, String> links = new LinkedHashMap<>();
    links.put("self", self);
    links.put("trigger", self + "/trigger");
    return links;
  }
}
