package dev.millpond.rest;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.millpond.admission.Submission;
import dev.millpond.queue.QueueChange.Setting;
import dev.millpond.queue.QueueName;
import dev.millpond.rest.SubmissionReader.Context;
import dev.millpond.schedule.Cron;
import dev.millpond.schedule.DueTimes;
import dev.millpond.schedule.Every;
import dev.millpond.schedule.Misfire;
import dev.millpond.schedule.Overlap;
import dev.millpond.schedule.Schedule.Settings;
import dev.millpond.schedule.Schedules;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A schedule's settings while they are read: what is left out is kept, null resets to the default,
 * as with a queue. The job is replaced as a whole.
 */
final class ScheduleDraft {

  private static final List<String> FIELDS =
      List.of("cron", "every", "timeZone", "queue", "job", "misfire", "overlap", "paused");

  private static final Set<String> ZONES = ZoneId.getAvailableZoneIds();
  private static final Pattern ZONE = Pattern.compile("[A-Za-z][A-Za-z0-9_+/-]{0,63}");
  private static final ZoneId UTC = ZoneId.of("UTC");

  private final StrictJson json;
  private final Context context;
  private final @Nullable Settings before;

  private Setting<String> cron = new Setting.Keep<>();
  private Setting<Duration> every = new Setting.Keep<>();
  private Setting<ZoneId> timeZone = new Setting.Keep<>();
  private Setting<QueueName> queue = new Setting.Keep<>();
  private Setting<Misfire> misfire = new Setting.Keep<>();
  private Setting<Overlap> overlap = new Setting.Keep<>();
  private Setting<Boolean> paused = new Setting.Keep<>();
  private @Nullable SubmissionDraft job;

  /** What is wrong with fields that are sound by themselves. */
  private final List<FieldError> errors = new ArrayList<>();

  private ScheduleDraft(byte[] body, Context context, @Nullable Settings before) {
    this.json = new StrictJson(body);
    this.context = context;
    this.before = before;
  }

  /**
   * Reads the body.
   *
   * @param before the settings so far; null if the schedule is new
   * @throws ProblemException {@code invalid-request}, or {@code payload-too-large}
   */
  static Settings read(byte[] body, Context context, @Nullable Settings before) {
    ScheduleDraft draft = new ScheduleDraft(body, context, before);
    draft.json.document(() -> draft.json.object(draft::field));
    draft.refuse(draft.json.takeErrors());
    DueTimes dueTimes = draft.dueTimes();
    Submission job = draft.job();
    draft.refuse(draft.errors);
    return new Settings(
        requireNonNull(dueTimes, "without errors there is a calendar"),
        chosen(draft.queue, before == null ? null : before.queue(), QueueName.DEFAULT),
        requireNonNull(job, "without errors there is a job"),
        chosen(draft.misfire, before == null ? null : before.misfire(), Misfire.ONCE),
        chosen(draft.overlap, before == null ? null : before.overlap(), Overlap.ALLOW),
        chosen(draft.paused, before == null ? null : before.paused(), false));
  }

  private void refuse(List<FieldError> found) {
    if (!found.isEmpty()) {
      boolean tooLarge = job != null && job.isPayloadTooLarge() && found.size() == 1;
      throw new ProblemException(SubmissionReader.problem(found, tooLarge));
    }
  }

  private static <T> T chosen(Setting<T> setting, @Nullable T kept, T reset) {
    return requireNonNullElse(setting.isSet() ? setting.value() : kept, reset);
  }

  private void field(String name) {
    switch (name) {
      case "cron" -> cron = new Setting.Set<>(json.isNull() ? null : cron());
      case "every" ->
          every = new Setting.Set<>(json.isNull() ? null : json.duration(Every.LEAST, Every.MOST));
      case "timeZone" -> timeZone = new Setting.Set<>(json.isNull() ? null : timeZone());
      case "queue" -> queue = new Setting.Set<>(json.isNull() ? null : queue());
      case "job" -> {
        job = SubmissionDraft.template(json, context, Schedules.labels());
        job.read();
      }
      case "misfire" ->
          misfire = new Setting.Set<>(json.isNull() ? null : word(Misfire.labels(), Misfire::of));
      case "overlap" ->
          overlap = new Setting.Set<>(json.isNull() ? null : word(Overlap.labels(), Overlap::of));
      case "paused" -> paused = new Setting.Set<>(json.isNull() ? null : json.bool());
      default -> SubmissionDraft.unknown(json, name, FIELDS);
    }
  }

  private <T> @Nullable T word(List<String> known, Function<String, Optional<T>> parse) {
    return json.parsed(() -> "must be one of " + String.join(", ", known), parse);
  }

  private @Nullable String cron() {
    String expression = json.text();
    if (expression != null) {
      flaw(expression).ifPresent(json::error);
    }
    return expression;
  }

  private static Optional<String> flaw(String expression) {
    String rule =
        "must be a cron expression of six fields (second, minute, hour, day of the month, month,"
            + " day of the week) with one space between them, such as \"0 30 2 * * MON-FRI\"";
    if (expression.length() <= Cron.LONGEST && expression.strip().split(" +").length == 5) {
      return Optional.of(rule + "; this has five, and the first of six is for the seconds");
    }
    try {
      Cron _ = new Cron(expression, ZoneOffset.UTC);
      return Optional.empty();
    } catch (IllegalArgumentException unreadable) {
      return Optional.of(rule + "; ranges go upwards, and names are in capitals");
    }
  }

  private @Nullable ZoneId timeZone() {
    String id = json.text();
    if (id == null) {
      return null;
    }
    if (!ZONE.matcher(id).matches()) {
      json.error("must be the name of a time zone, such as \"Europe/Berlin\"");
      return null;
    }
    if (!ZONES.contains(id)) {
      json.error("is no time zone that exists" + Words.didYouMean(id, ZONES));
      return null;
    }
    return ZoneId.of(id);
  }

  private @Nullable QueueName queue() {
    return json.parsed(
        () -> "must match " + QueueName.PATTERN,
        name -> Optional.of(name).filter(QueueName::isValid).map(QueueName::new));
  }

  private @Nullable DueTimes dueTimes() {
    Cron oldCron = before != null && before.dueTimes() instanceof Cron old ? old : null;
    Every oldEvery = before != null && before.dueTimes() instanceof Every old ? old : null;
    String newCron = cron.value();
    Duration newEvery = every.value();
    if (newCron != null && newEvery != null) {
      return bad("/cron", "cannot be given together with every");
    }
    if (newEvery != null) {
      return every(newEvery, oldEvery);
    }
    if (newCron != null) {
      return cron(newCron, oldCron == null ? UTC : oldCron.zone());
    }
    if (oldCron != null && !cron.isSet()) {
      return cron(oldCron.expression(), oldCron.zone());
    }
    if (oldEvery != null && !every.isSet()) {
      return every(oldEvery.period(), oldEvery);
    }
    return cron.isSet()
        ? bad("/every", "is required where cron is null")
        : bad("/cron", "is required where every is not given");
  }

  private @Nullable DueTimes cron(String expression, ZoneId kept) {
    Cron dueTimes = new Cron(expression, chosen(timeZone, kept, UTC));
    return dueTimes.after(context.now()).isEmpty()
        ? bad("/cron", "is never due: no day is like that")
        : dueTimes;
  }

  private @Nullable DueTimes every(Duration period, @Nullable Every old) {
    if (timeZone.value() != null) {
      return bad("/timeZone", "is for cron; every is the same in all time zones");
    }
    Instant anchor = old != null && old.period().equals(period) ? old.anchor() : context.now();
    return new Every(period, anchor);
  }

  private @Nullable DueTimes bad(String pointer, String detail) {
    errors.add(FieldError.at(pointer, detail));
    return null;
  }

  private @Nullable Submission job() {
    if (job != null) {
      return job.submission();
    }
    if (before == null) {
      errors.add(FieldError.at("/job", "is required"));
      return null;
    }
    return before.job();
  }
}
