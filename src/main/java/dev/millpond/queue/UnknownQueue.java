package dev.millpond.queue;

/** There is no such queue, and none may be created by a submit. */
public final class UnknownQueue extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final transient QueueName queue;
  private final boolean tooMany;

  UnknownQueue(QueueName queue, boolean tooMany) {
    super("queue " + queue + " does not exist", null, false, false);
    this.queue = queue;
    this.tooMany = tooMany;
  }

  /** The queue that was asked for. */
  public QueueName queue() {
    return queue;
  }

  /** Whether it was not created because there are too many queues already. */
  public boolean tooMany() {
    return tooMany;
  }
}
