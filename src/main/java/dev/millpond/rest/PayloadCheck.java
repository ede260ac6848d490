package dev.millpond.rest;

import dev.millpond.admission.Submission;
import dev.millpond.handler.Handlers;
import dev.millpond.rest.SubmissionReader.Candidate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.springframework.stereotype.Component;

/**
 * Refuses at the door what no handler could work on: a type without one, or a payload that it could
 * not read.
 */
@Component
final class PayloadCheck {

  private final Handlers handlers;

  PayloadCheck(Handlers handlers) {
    this.handlers = handlers;
  }

  /** What is wrong with a single submission. */
  Optional<ProblemDocument> problem(Submission submission) {
    if (!isKnown(submission)) {
      return Optional.of(
          ProblemDocument.of(
                  Problem.UNKNOWN_TYPE,
                  "There is no handler for " + Words.quote(submission.type()) + ".")
              .with("knownTypes", List.copyOf(handlers.types()))
              .with("errors", errors(submission, "").stream().map(FieldError::json).toList()));
    }
    List<FieldError> errors = errors(submission, "");
    return errors.isEmpty() ? Optional.empty() : Optional.of(ProblemDocument.invalid(errors));
  }

  /** The candidates of a batch, those that no handler could work on marked as bad. */
  List<Candidate> check(List<Candidate> candidates) {
    List<Candidate> checked = new ArrayList<>();
    for (Candidate candidate : candidates) {
      String at = "/jobs/" + checked.size();
      checked.add(
          switch (candidate) {
            case Candidate.Good(Submission submission) -> check(submission, at);
            case Candidate.Bad bad -> bad;
          });
    }
    return checked;
  }

  private Candidate check(Submission submission, String at) {
    List<FieldError> errors = errors(submission, at);
    return errors.isEmpty() ? new Candidate.Good(submission) : new Candidate.Bad(errors, false);
  }

  private List<FieldError> errors(Submission submission, String at) {
    return isKnown(submission)
        ? handlers.check(submission.type(), submission.payload()).stream()
            .map(bad -> FieldError.at(at + "/payload" + bad.pointer(), bad.detail()))
            .toList()
        : List.of(
            FieldError.at(
                at + "/type", "has no handler; known are " + String.join(", ", handlers.types())));
  }

  private boolean isKnown(Submission submission) {
    return handlers.find(submission.type()).isPresent();
  }
}
