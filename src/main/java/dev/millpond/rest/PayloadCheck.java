package dev.millpond.rest;

import dev.millpond.admission.Submission;
import dev.millpond.handler.Handlers;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import dev.millpond.rest.SubmissionReader.Candidate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.springframework.stereotype.Component;

/**
 * Refuses at the door what no handler could work on: a type without one, or a payload that it could
 * not read. Where a queue has pull workers, those may know what to do with other types.
 */
@Component
final class PayloadCheck {

  private final Handlers handlers;
  private final Queues queues;

  PayloadCheck(Handlers handlers, Queues queues) {
    this.handlers = handlers;
    this.queues = queues;
  }

  /** What is wrong with a single submission. */
  Optional<ProblemDocument> problem(QueueName queue, Submission submission) {
    return problem(queue, submission, "");
  }

  /**
   * What is wrong with a submission that is a part of a body.
   *
   * @param at its JSON Pointer
   */
  Optional<ProblemDocument> problem(QueueName queue, Submission submission, String at) {
    if (!isKnown(submission) && !queues.workers(queue).mayPull()) {
      return Optional.of(
          ProblemDocument.of(
                  Problem.UNKNOWN_TYPE,
                  "There is no handler for " + Words.quote(submission.type()) + ".")
              .with("knownTypes", List.copyOf(handlers.types()))
              .with("errors", unknown(at).stream().map(FieldError::json).toList()));
    }
    List<FieldError> errors = errors(submission, at);
    return errors.isEmpty() ? Optional.empty() : Optional.of(ProblemDocument.invalid(errors));
  }

  /** The candidates of a batch, those that no handler could work on marked as bad. */
  List<Candidate> check(QueueName queue, List<Candidate> candidates) {
    boolean pulled = queues.workers(queue).mayPull();
    List<Candidate> checked = new ArrayList<>();
    for (Candidate candidate : candidates) {
      String at = "/jobs/" + checked.size();
      checked.add(
          switch (candidate) {
            case Candidate.Good(Submission submission) -> check(submission, at, pulled);
            case Candidate.Bad bad -> bad;
          });
    }
    return BatchRefs.check(checked);
  }

  private Candidate check(Submission submission, String at, boolean pulled) {
    List<FieldError> errors = pulled || isKnown(submission) ? errors(submission, at) : unknown(at);
    return errors.isEmpty()
        ? new Candidate.Good(submission)
        : new Candidate.Bad(errors, false, submission.dependsOn().ref());
  }

  private List<FieldError> errors(Submission submission, String at) {
    return handlers.check(submission.type(), submission.payload()).stream()
        .map(bad -> FieldError.at(at + "/payload" + bad.pointer(), bad.detail()))
        .toList();
  }

  private List<FieldError> unknown(String at) {
    return List.of(
        FieldError.at(
            at + "/type", "has no handler; known are " + String.join(", ", handlers.types())));
  }

  private boolean isKnown(Submission submission) {
    return handlers.find(submission.type()).isPresent();
  }
}
