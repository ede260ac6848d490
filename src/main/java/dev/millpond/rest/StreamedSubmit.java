package dev.millpond.rest;

import static dev.millpond.rest.Arrivals.Arrival;

import dev.millpond.admission.Decision;
import dev.millpond.admission.JobStream;
import dev.millpond.admission.JobStream.Answer;
import dev.millpond.admission.Placed;
import dev.millpond.admission.Submission;
import dev.millpond.job.Job;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;

/**
 * One stream at work. The request's own thread reads; another one has the lines admitted and writes
 * the verdicts, so that a client which does not read yet can still send, as far as the lines have
 * room here.
 */
final class StreamedSubmit {

  /** How long a client may say nothing while no line of its waits. A blank line is enough. */
  static final Duration SILENCE = Duration.ofMinutes(5);

  /** How often it is told that its lines wait. */
  private static final Duration TELL = Duration.ofSeconds(10);

  /** Of a job that holds the line's unique key. */
  private static final int THERE = HttpStatus.OK.value();

  private static final int ACCEPTED = HttpStatus.ACCEPTED.value();

  private static final Logger log = LoggerFactory.getLogger(StreamedSubmit.class);

  private final HttpServletRequest request;
  private final JobStream stream;
  private final LineReader lines;
  private final VerdictWriter verdicts;
  private final Function<LineReader.Line, Arrival> reader;
  private final Problems problems;
  private final Arrivals arrivals = new Arrivals(RequestBodies.SINGLE);

  /** Why it ended before its lines did; written by whichever thread finds it so first. */
  private volatile @Nullable ProblemDocument problem;

  /**
   * @param reader makes a job of a line, or says why it is none
   */
  StreamedSubmit(
      HttpServletRequest request,
      JobStream stream,
      LineReader lines,
      VerdictWriter verdicts,
      Function<LineReader.Line, Arrival> reader,
      Problems problems) {
    this.request = request;
    this.stream = stream;
    this.lines = lines;
    this.verdicts = verdicts;
    this.reader = reader;
    this.problems = problems;
    stream.whenEnded(arrivals::end);
  }

  /** Returns when all lines have their verdicts, or the client has gone. */
  void run() throws InterruptedException {
    Thread admitting = Thread.ofVirtual().name("stream").start(this::admit);
    try {
      read();
    } finally {
      arrivals.end();
      // The response must not be in use when the request is over.
      admitting.join();
    }
  }

  private void read() throws InterruptedException {
    try {
      LineReader.Line line = next();
      while (line != null && arrivals.add(reader.apply(line))) {
        line = next();
      }
      arrivals.end();
    } catch (SocketTimeoutException silent) {
      if (!stream.isEnded()) {
        problem =
            ProblemDocument.timeout(
                "Nothing came for " + SILENCE + ". Each line that came has its verdict.");
      }
      arrivals.end();
    } catch (IOException broken) {
      // What is not committed yet is not accepted: nobody would be told.
      giveUp(problems.of(broken, request));
    } catch (RuntimeException failure) {
      giveUp(problems.of(failure, request));
    }
  }

  /** The next line. Tomcat's timeout is no end: who waits for a verdict has nothing to say. */
  private LineReader.@Nullable Line next() throws IOException {
    long silentSince = System.nanoTime();
    long seen = lines.bytes();
    while (true) {
      try {
        return lines.next();
      } catch (IOException failure) {
        if (!(failure.getCause() instanceof SocketTimeoutException silent)) {
          throw failure;
        }
        // Else it would be what became of the request.
        request.removeAttribute(RequestDispatcher.ERROR_EXCEPTION);
        long now = System.nanoTime();
        if (stream.isEnded()) {
          throw silent;
        }
        if (arrivals.isUnsettled() || lines.bytes() != seen) {
          seen = lines.bytes();
          silentSince = now;
        } else if (now - silentSince >= SILENCE.toNanos()) {
          throw silent;
        }
      }
    }
  }

  private void giveUp(ProblemDocument why) {
    problem = why;
    stream.end();
    arrivals.abort();
  }

  private void admit() {
    try {
      List<Arrival> group = arrivals.take();
      while (!group.isEmpty() && settle(group)) {
        arrivals.settled(group);
        if (arrivals.isEmpty()) {
          verdicts.flush();
        }
        group = arrivals.take();
      }
      verdicts.end(whyItEnded());
    } catch (IOException gone) {
      log.debug("Nobody reads the verdicts of a stream any more: {}", gone.getMessage());
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException failure) {
      endWith(problems.of(failure, request));
    } finally {
      stream.end();
      arrivals.abort();
    }
  }

  private void endWith(ProblemDocument why) {
    try {
      verdicts.end(why);
    } catch (IOException gone) {
      log.debug("Nobody reads the verdicts of a stream any more: {}", gone.getMessage());
    }
  }

  private @Nullable ProblemDocument whyItEnded() {
    return problem == null && stream.isEnded()
        ? ProblemDocument.of(
                Problem.OVERLOADED,
                "The service stops. Lines beyond those answered or counted were not accepted.")
            .retryAfter(Refusals.SOON_SECONDS)
        : problem;
  }

  /** False if the stream ended before all of them were decided. */
  private boolean settle(List<Arrival> group) throws IOException, InterruptedException {
    List<JobStream.Line> jobs =
        group.stream()
            .map(Arrival::job)
            .filter(Objects::nonNull)
            .<JobStream.Line>map(j -> j)
            .toList();
    int decided = 0;
    Iterator<Answer> answers = Collections.emptyIterator();
    for (Arrival arrival : group) {
      if (arrival.job() == null) {
        verdicts.rejected(arrival.line(), arrival.refusal());
        continue;
      }
      if (!answers.hasNext()) {
        List<Answer> more = answers(jobs.subList(decided, jobs.size()));
        decided += more.size();
        answers = more.iterator();
      }
      if (!answers.hasNext()) {
        return false;
      }
      tell(arrival.line(), arrival.job().job(), answers.next());
    }
    return true;
  }

  /** None if the stream has ended. */
  private List<Answer> answers(List<JobStream.Line> jobs) throws IOException, InterruptedException {
    List<Answer> answers = stream.admit(jobs, Duration.ZERO);
    if (answers.isEmpty()) {
      verdicts.flush();
    }
    while (answers.isEmpty() && !stream.isEnded()) {
      answers = stream.admit(jobs, TELL);
      if (answers.isEmpty() && !stream.isEnded()) {
        verdicts.waiting();
      }
    }
    return answers;
  }

  private void tell(long line, Submission job, Answer answer) throws IOException {
    switch (answer.decision()) {
      case null ->
          verdicts.rejected(line, problems.of(Objects.requireNonNull(answer.failure()), request));
      case Decision.Accepted(List<Job> jobs) ->
          verdicts.accepted(line, ACCEPTED, jobs.getFirst().id());
      case Decision.Merged(List<Placed> jobs) ->
          verdicts.accepted(line, THERE, jobs.getFirst().id());
      case Decision.Replayed(List<@Nullable UUID> ids, Set<UUID> merged) -> {
        UUID id = Objects.requireNonNull(ids.getFirst());
        verdicts.accepted(line, merged.contains(id) ? THERE : ACCEPTED, id);
      }
      case Decision.PredecessorsGone(Set<UUID> gone) ->
          verdicts.rejected(line, ProblemDocument.invalid(BatchRefs.gone(job, gone)));
      case Decision.Refused refused -> verdicts.rejected(line, Refusals.of(refused, problems));
    }
  }
}
