package dev.millpond.job;

/** How many jobs of a queue are in each of the states that are not final. */
public record QueueCounts(long queued, long scheduled, long blocked, long retrying, long running) {

  /** A queue without jobs. */
  public static final QueueCounts NONE = new QueueCounts(0, 0, 0, 0, 0);

  /** Those that wait. */
  public long depth() {
    return queued + scheduled + blocked + retrying;
  }
}
