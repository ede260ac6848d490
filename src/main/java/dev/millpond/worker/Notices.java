package dev.millpond.worker;

import dev.millpond.job.JobChanged;
import dev.millpond.job.JobsWatched;
import dev.millpond.job.Watches;
import dev.millpond.lease.CancelRequested;
import dev.millpond.queue.JobsReady;
import dev.millpond.queue.QueueName;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.EventListener;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.stereotype.Component;

/**
 * Hints between nodes, by LISTEN and NOTIFY: where jobs are ready, which running job was asked to
 * cancel, and which job has changed while another node watches some. Without them everything still
 * happens, at the next poll or renewal.
 *
 * <p>A NOTIFY locks the whole database at its commit, so it never is part of a submit: what gathers
 * in a twentieth of a second goes out together.
 */
@Component
class Notices implements SmartLifecycle {

  /**
   * How long words gather: the timer is set by the first of them, so that nothing turns at rest.
   */
  private static final Duration GATHER = Duration.ofMillis(50);

  private static final String CHANNEL = "millpond";
  private static final String CANCEL = "cancel:";
  private static final String CHANGED = "changed:";
  private static final String WATCHED = "watched:";

  /** What a notice holds. */
  private static final int MAX_BYTES = 7_999;

  /** What is told at once; what is beyond it is found by the polls. */
  private static final int MAX_WORDS = 1_000;

  /**
   * How often a silent connection is asked whether it lives; with the socket's timeout, dead ones
   * are found in 15 s.
   */
  private static final int SILENCE_MILLIS = 10_000;

  private static final int SOCKET_TIMEOUT_SECONDS = 5;
  private static final Duration AGAIN = Duration.ofSeconds(1);
  private static final Logger log = LoggerFactory.getLogger(Notices.class);

  private final JdbcConnectionDetails details;
  private final JdbcClient jdbc;
  private final ApplicationEventPublisher events;
  private final TaskScheduler scheduler;
  private final Watches watches;

  /** Marks this node's own notices, which tell it nothing new. */
  private final String self = UUID.randomUUID().toString();

  /** What is to be told; guarded by itself. A sending is due as long as it is not empty. */
  private final Set<String> unsent = new HashSet<>();

  /**
   * True while a received notice is handed on, which must not be sent again. Of the listening
   * thread alone.
   */
  private final ThreadLocal<Boolean> receiving = ThreadLocal.withInitial(() -> false);

  private volatile @Nullable Thread listener;

  Notices(
      JdbcConnectionDetails details,
      JdbcClient jdbc,
      ApplicationEventPublisher events,
      TaskScheduler scheduler,
      Watches watches) {
    this.details = details;
    this.jdbc = jdbc;
    this.events = events;
    this.scheduler = scheduler;
    this.watches = watches;
  }

  @EventListener
  void on(JobsReady ready) {
    if (!receiving.get()) {
      tell(ready.queues().stream().map(QueueName::value).collect(Collectors.toSet()));
    }
  }

  @EventListener
  void on(CancelRequested request) {
    if (!receiving.get()) {
      tell(Set.of(CANCEL + request.id()));
    }
  }

  @EventListener
  void on(JobChanged change) {
    tell(Set.of(CHANGED + change.id()));
  }

  @EventListener(JobsWatched.class)
  void onJobsWatched() {
    tell(Set.of(WATCHED));
  }

  private void tell(Set<String> words) {
    synchronized (unsent) {
      if (unsent.isEmpty() && !words.isEmpty()) {
        try {
          var _ = scheduler.schedule(this::send, scheduler.getClock().instant().plus(GATHER));
        } catch (TaskRejectedException stopped) {
          log.debug("No hint sent, the service stops");
          return;
        }
      }
      unsent.addAll(words);
    }
  }

  private void send() {
    List<String> words;
    synchronized (unsent) {
      // The more there are of them, the less each change of a job matters.
      words =
          unsent.stream()
              .sorted(Comparator.comparing(word -> word.startsWith(CHANGED)))
              .limit(MAX_WORDS)
              .toList();
      unsent.clear();
    }
    try {
      jdbc.sql("select pg_notify(:channel, notice) from unnest(:notices) as notice")
          .param("channel", CHANNEL)
          .param("notices", new SqlArrayValue("text", notices(words).toArray()))
          .query()
          .listOfRows();
    } catch (DataAccessException away) {
      log.debug("No hint sent: {}", away.getMessage());
    }
  }

  private List<String> notices(List<String> words) {
    List<String> notices = new ArrayList<>();
    StringBuilder notice = new StringBuilder(self);
    for (String word : words) {
      if (notice.length() + 1 + word.length() > MAX_BYTES) {
        notices.add(notice.toString());
        notice = new StringBuilder(self);
      }
      notice.append(' ').append(word);
    }
    notices.add(notice.toString());
    return notices;
  }

  private void listen() {
    while (isListener()) {
      try (Connection connection = connect();
          Statement statement = connection.createStatement()) {
        statement.execute("listen " + CHANNEL);
        receive(connection, statement);
      } catch (SQLException | RuntimeException lost) {
        log.debug("Listens again in a second: {}", lost.getMessage());
        pause();
      }
    }
  }

  /** A service that was stopped and started again has another thread. */
  private boolean isListener() {
    return Thread.currentThread().equals(listener);
  }

  private Connection connect() throws SQLException {
    Properties properties = new Properties();
    String user = details.getUsername();
    String password = details.getPassword();
    if (user != null) {
      properties.setProperty("user", user);
    }
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("ApplicationName", "millpond-listen");
    properties.setProperty("connectTimeout", Integer.toString(SOCKET_TIMEOUT_SECONDS));
    properties.setProperty("socketTimeout", Integer.toString(SOCKET_TIMEOUT_SECONDS));
    return DriverManager.getConnection(details.getJdbcUrl(), properties);
  }

  private void receive(Connection connection, Statement statement) throws SQLException {
    PGConnection listening = connection.unwrap(PGConnection.class);
    while (isListener()) {
      PGNotification[] notices = listening.getNotifications(SILENCE_MILLIS);
      if (notices == null || notices.length == 0) {
        statement.execute("select 1");
      } else {
        Arrays.stream(notices).map(PGNotification::getParameter).forEach(this::hear);
      }
    }
  }

  private void hear(String notice) {
    List<String> words = List.of(notice.split(" ", -1));
    if (words.getFirst().equals(self)) {
      return;
    }
    Set<QueueName> queues = new HashSet<>();
    receiving.set(true);
    try {
      for (String word : words.subList(1, words.size())) {
        if (word.startsWith(CANCEL)) {
          events.publishEvent(
              new CancelRequested(UUID.fromString(word.substring(CANCEL.length()))));
        } else if (word.startsWith(CHANGED)) {
          watches.hint(UUID.fromString(word.substring(CHANGED.length())));
        } else if (word.equals(WATCHED)) {
          watches.othersWatch();
        } else if (QueueName.isValid(word)) {
          queues.add(new QueueName(word));
        }
      }
      if (!queues.isEmpty()) {
        events.publishEvent(new JobsReady(queues, true));
      }
    } finally {
      receiving.set(false);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(AGAIN);
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void start() {
    listener = Thread.ofPlatform().name("notices").daemon().unstarted(this::listen);
    listener.start();
  }

  @Override
  public void stop() {
    listener = null;
  }

  @Override
  public boolean isRunning() {
    return listener != null;
  }
}
