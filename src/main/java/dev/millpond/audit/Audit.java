package dev.millpond.audit;

import dev.millpond.job.JobIds;
import dev.millpond.queue.QueueName;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * The log of what operators changed. A line is there before the change is made, and says afterwards
 * what came of it: no change is made without a line, and one that was cut short shows.
 */
@Component
public final class Audit {

  private static final Logger log = LoggerFactory.getLogger(Audit.class);

  /** Characters of a request that are kept: a year of large ones would be read as one page. */
  private static final int MOST = 16 * 1024;

  private final AuditSql sql;
  private final JobIds ids;

  Audit(AuditSql sql, JobIds ids) {
    this.sql = sql;
    this.ids = ids;
  }

  /**
   * Notes what is about to be done.
   *
   * @param schedule the schedule, if it is that which is changed; null for the queue or its jobs
   * @param request its body; one of more than 16,384 characters is left out
   * @return the line's id, for {@link #end}
   */
  public UUID begin(
      String action,
      QueueName queue,
      @Nullable String schedule,
      String client,
      @Nullable String request) {
    UUID id = ids.next();
    String kept = request == null || request.length() <= MOST ? request : null;
    sql.insert(new AuditLine(id, action, queue.value(), schedule, client, kept, null));
    log.info("{} {} from {}", action, schedule == null ? queue : schedule, client);
    return id;
  }

  /** Notes what came of it, as JSON. What was done is done, even if this cannot be written. */
  public void end(UUID id, String outcome) {
    try {
      sql.end(id, outcome);
    } catch (DataAccessException | TransactionException away) {
      log.warn("Cannot note the outcome {} of {}: {}", outcome, id, away.getMessage());
    }
  }

  /**
   * The newest lines.
   *
   * @param queue only those of this queue; null for all
   * @param before only those older than this line; null for the first page
   */
  public List<AuditLine> list(@Nullable String queue, @Nullable UUID before, int limit) {
    return sql.list(queue, before == null ? new UUID(-1, -1) : before, limit);
  }
}
