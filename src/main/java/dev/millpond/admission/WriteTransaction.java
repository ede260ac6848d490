package dev.millpond.admission;

import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.jdbc.UncategorizedSQLException;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.stereotype.Component;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.support.TransactionCallback;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The transaction in which submits are written that take more than one statement. */
@Component
final class WriteTransaction {

  /** {@code lock_not_available}, from PostgreSQL's list of error codes; Spring does not know it. */
  private static final String LOCK_TIMEOUT = "55P03";

  /** Not the one of JPA, which opens a session each time. */
  private final TransactionTemplate template;

  WriteTransaction(DataSource database) {
    this.template = new TransactionTemplate(new JdbcTransactionManager(database));
  }

  /**
   * Does it in a transaction, or as part of the one that is open.
   *
   * @throws CannotAcquireLockException if somebody held a lock for too long
   * @throws CannotGetJdbcConnectionException if there is no connection: nothing was sent
   */
  <T> @Nullable T execute(TransactionCallback<T> work) {
    try {
      return template.execute(work);
    } catch (CannotCreateTransactionException away) {
      throw new CannotGetJdbcConnectionException(
          "no connection to write submits", away.getCause() instanceof SQLException e ? e : null);
    } catch (UncategorizedSQLException failure) {
      SQLException cause = failure.getSQLException();
      if (cause != null && LOCK_TIMEOUT.equals(cause.getSQLState())) {
        throw new CannotAcquireLockException("a lock is held for too long", failure);
      }
      throw failure;
    }
  }

  /** Does it once the open transaction is committed; never if that does not happen. */
  static void afterCommit(Runnable then) {
    TransactionSynchronizationManager.registerSynchronization(
        new TransactionSynchronization() {
          @Override
          public void afterCommit() {
            then.run();
          }
        });
  }
}
