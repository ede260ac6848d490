package dev.millpond.lease;

import java.util.UUID;
import java.util.function.Supplier;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionException;

/** A statement that writes to these books was sent, and what came of it is not known. */
public record AccountInDoubt(UUID account) {

  /** Runs a statement that writes to the books of admission, and tells if they are in doubt. */
  public static <T> T booking(
      ApplicationEventPublisher events, UUID account, Supplier<T> statement) {
    try {
      return statement.get();
    } catch (CannotGetJdbcConnectionException | CannotCreateTransactionException notSent) {
      throw notSent;
    } catch (DataAccessException | TransactionException unknown) {
      events.publishEvent(new AccountInDoubt(account));
      throw unknown;
    }
  }
}
