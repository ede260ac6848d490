package dev.millpond.admission;

import dev.millpond.queue.QueueName;
import java.util.UUID;

/**
 * Permits taken for jobs that are about to be written.
 *
 * @param runnable how many of the jobs wait for nothing but a slot
 */
record Reservation(Books books, QueueName queue, int jobs, int runnable) implements Verdict {

  /** Only with this account open may the jobs be written. */
  UUID account() {
    return books.account();
  }

  /** The jobs were not written. */
  void cancel() {
    books.change(queue, -jobs, -runnable);
  }
}
