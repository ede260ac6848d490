package dev.millpond.admission;

/**
 * The admission filter sends a request away: the queue is full. Without a stack trace, since it is
 * no surprise.
 */
public final class QueueFull extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  QueueFull(Refusal refusal) {
    super("queue " + refusal.queue() + " is full", null, false, false);
    this.refusal = refusal;
  }

  /** What the client is told. */
  public Refusal refusal() {
    return refusal;
  }
}
