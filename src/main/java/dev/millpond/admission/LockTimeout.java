package dev.millpond.admission;

import java.sql.SQLException;
import java.util.function.Supplier;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.jdbc.UncategorizedSQLException;

/** PostgreSQL's {@code lock_timeout}, whose state Spring does not know. */
final class LockTimeout {

  /** {@code lock_not_available}, from PostgreSQL's list of error codes. */
  private static final String STATE = "55P03";

  private LockTimeout() {}

  /**
   * Does it.
   *
   * @throws CannotAcquireLockException if somebody held a lock for too long
   */
  static <T> T told(Supplier<T> work) {
    try {
      return work.get();
    } catch (UncategorizedSQLException failure) {
      SQLException cause = failure.getSQLException();
      if (cause != null && STATE.equals(cause.getSQLState())) {
        throw new CannotAcquireLockException("a lock is held for too long", failure);
      }
      throw failure;
    }
  }
}
