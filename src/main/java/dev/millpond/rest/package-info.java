/**
 * The HTTP API under {@code /v1}: reads requests strictly, answers with the job as it is, and
 * explains each refusal.
 *
 * <p>A request passes {@link dev.millpond.rest.ReachFilter} first. Its controller reads the body
 * ({@link dev.millpond.rest.RequestBodies}, {@link dev.millpond.rest.SubmissionReader}) or the
 * query ({@link dev.millpond.rest.ListQuery}); whatever is refused on the way is thrown as a {@link
 * dev.millpond.rest.ProblemException}, which {@link dev.millpond.rest.ProblemAdvice} turns into a
 * problem of the catalogue, {@link dev.millpond.rest.Problem}.
 *
 * <p>A stream is read and answered at the same time: {@link dev.millpond.rest.StreamController}
 * checks its head, {@link dev.millpond.rest.StreamedSubmit} has one thread that reads ({@link
 * dev.millpond.rest.LineReader}) and one that has the lines admitted and writes their verdicts,
 * with {@link dev.millpond.rest.Arrivals} between them.
 *
 * <p>Who waits for a job keeps no thread: {@link dev.millpond.rest.Later} is the answer to come.
 * Who follows one keeps no request either: {@link dev.millpond.rest.EventController} checks and
 * sends the head, then {@link dev.millpond.rest.EventStream} tells and {@link
 * dev.millpond.rest.EventConnection} sends.
 */
@NullMarked
@ApplicationModule(
    allowedDependencies = {
      "admission",
      "audit",
      "callback",
      "dependency",
      "handler",
      "lease",
      "queue",
      "retention",
      "schedule",
      "job"
    })
package dev.millpond.rest;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
