package dev.millpond.rest;

/** Ends the reading of a request with a refusal; the advice turns it into the answer. */
public final class ProblemException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final transient ProblemDocument document;

  public ProblemException(ProblemDocument document) {
    // A refusal is an everyday answer: a stack trace would cost much and tell nothing.
    super(document.type(), null, false, false);
    this.document = document;
  }

  public ProblemException(Problem problem, String detail) {
    this(ProblemDocument.of(problem, detail));
  }

  /** What is answered. */
  public ProblemDocument document() {
    return document;
  }
}
