package dev.millpond.handler;

/** Thrown by a handler: the job failed, and another attempt would fail the same way. */
public class PermanentFailure extends Exception {

  private static final long serialVersionUID = 1L;

  private final String type;

  /**
   * @param type a stable, machine-readable word for the kind of failure
   * @param message what happened, for a person
   */
  public PermanentFailure(String type, String message) {
    super(message);
    this.type = type;
  }

  /** The kind of failure, as the job's {@code error.type} says it. */
  public String type() {
    return type;
  }
}
