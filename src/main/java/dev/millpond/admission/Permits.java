package dev.millpond.admission;

import static dev.millpond.admission.RoomSql.ALL_QUEUES;
import static java.lang.Double.NaN;

import dev.millpond.admission.Reservation.Demand;
import dev.millpond.admission.RoomSql.Accounts;
import dev.millpond.admission.RoomSql.Others;
import dev.millpond.admission.RoomSql.Waiting;
import dev.millpond.lease.AccountInDoubt;
import dev.millpond.lease.LeaseProperties;
import dev.millpond.lease.Node;
import dev.millpond.queue.DepthChanged;
import dev.millpond.queue.JobsStarted;
import dev.millpond.queue.LineChanged;
import dev.millpond.queue.Queue;
import dev.millpond.queue.QueueName;
import dev.millpond.queue.Queues;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.annotation.PreDestroy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.event.EventListener;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.annotation.SchedulingConfigurer;
import org.springframework.scheduling.config.ScheduledTaskRegistrar;
import org.springframework.stereotype.Component;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionException;

/**
 * Who is let in. This node admits by the permits that it holds, in memory; it takes them from the
 * pool of the nodes, and gives them back, in bulk and away from the requests. So the depth never
 * exceeds the cap by a submit, however many nodes and clients there are; {@code room} in the schema
 * says why.
 */
@Component
public class Permits implements SchedulingConfigurer {

  private static final Duration BALANCE = Duration.ofMillis(200);
  private static final Duration PACE = Duration.ofSeconds(1);

  /** Rows of the books that may be written before they are summed up. */
  private static final int FOLD_AFTER = 500;

  /** A cap in time is never less than so many jobs, or twice the slots: else they would run dry. */
  private static final int LEAST_IN_TIME = 100;

  /** How long after it was found away the database is not tried again to open the books. */
  private static final Duration OPEN_AGAIN = Duration.ofSeconds(1);

  /** How often permits are looked for while others take what was found. */
  private static final int TRIES = 20;

  private static final Logger log = LoggerFactory.getLogger(Permits.class);

  private final Queues queues;
  private final AdmissionProperties properties;
  private final RoomSql sql;
  private final Node node;
  private final Duration lease;
  private final Duration renewal;
  private final int leastInTime;
  private final MeterRegistry meters;
  private final Map<QueueName, Flow> flows = new ConcurrentHashMap<>();

  /** Starts a second of each queue on this node in its former life. */
  private final Map<String, Double> believed;

  /** For clients sent away from queues in which nothing waits: by the total cap, say. */
  private final Flow elsewhere;

  /** Replaced under the lock of this when they are opened; read by everyone. */
  private volatile Books books;

  /** Whether jobs may be admitted by the books. */
  private volatile boolean open;

  /** That the database could not be reached; written by whoever found it so. */
  private volatile @Nullable Outage outage;

  private record Outage(RuntimeException failure, long at) {}

  private final AtomicInteger unfolded = new AtomicInteger();
  private final Moves moves = new Moves();

  /** How many nodes share the pool; written by whoever asks the database about it. */
  private volatile int nodes = 1;

  Permits(
      Queues queues,
      AdmissionProperties properties,
      RoomSql sql,
      Node node,
      LeaseProperties lease,
      @Value("${millpond.worker.slots:64}") int slots,
      MeterRegistry meters) {
    this.leastInTime = Math.max(LEAST_IN_TIME, 2 * slots);
    this.queues = queues;
    this.properties = properties;
    this.sql = sql;
    this.node = node;
    this.lease = lease.duration();
    Duration third = lease.duration().dividedBy(3);
    this.renewal = lease.sweep().compareTo(third) < 0 ? lease.sweep() : third;
    this.meters = meters;
    this.elsewhere = new Flow(Duration.ofSeconds(properties.maxRetryAfter()), 0);
    this.believed = sql.paces(node.name());
    this.books = Books.of(node.account());
    open();
  }

  /**
   * Takes permits for jobs, or says why there are none.
   *
   * @param client what the client is known by when it comes back; null if by nothing
   * @throws DataAccessException if this node has no permits left and cannot ask for more
   */
  Verdict reserve(QueueName queue, List<Demand> demands, @Nullable String client) {
    Flow flow = flow(queue);
    Books current = openBooks();
    for (Demand demand : demands) {
      Optional<Decision.TenantOverShare> over = overShare(queue, flow.shares(), demand, client);
      if (over.isPresent()) {
        return over.get();
      }
    }
    Reservation reservation = new Reservation(current, queue, demands);
    if (take(reservation, client)) {
      return reservation;
    }
    return isInForce(current)
        ? new Decision.Full(full(queue, client))
        : reserve(queue, demands, client);
  }

  /**
   * Takes permits for the first of a stream's jobs, as many as may come in now; empty if none may.
   * No refusal: the stream waits.
   *
   * @throws DataAccessException as {@link #reserve}
   */
  Optional<Reservation> reserveFirst(QueueName queue, List<Submission> jobs, String client) {
    Flow flow = flow(queue);
    Books current = openBooks();
    int cap = cap(queue);
    int depth = depth(queue);
    int allowed = flow.allowance(here(client), depth, cap, System.nanoTime());
    // One at least is tried for, since other nodes may have made room.
    int most = Math.min(jobs.size(), Math.min(allowed, Math.max(1, room(queue, cap))));
    for (int n = most; n > 0; n /= 2) {
      Reservation some = new Reservation(current, queue, Admission.demands(jobs.subList(0, n)));
      boolean isShared =
          some.demands().stream()
              .allMatch(
                  demand ->
                      flow.shares()
                          .exceeded(demand.tenant(), demand.jobs(), depth, cap, System.nanoTime())
                          .isEmpty());
      if (isShared && take(some, client)) {
        return Optional.of(some);
      }
    }
    return isInForce(current) ? Optional.empty() : reserveFirst(queue, jobs, client);
  }

  private boolean take(Reservation wanted, @Nullable String client) {
    Books from = wanted.books();
    QueueName queue = wanted.queue();
    if (take(from, from.room(queue), queue.value(), cap(queue), wanted)) {
      if (take(from, from.total(), ALL_QUEUES, properties.totalCap(), wanted)) {
        long now = System.nanoTime();
        Flow flow = flow(queue);
        flow.entered(here(client), now);
        wanted
            .demands()
            .forEach(demand -> flow.shares().change(demand.tenant(), demand.jobs(), now));
        return true;
      }
      from.room(queue).change(-wanted.jobs(), -wanted.runnable());
    }
    return false;
  }

  /** The jobs were not written. */
  void cancel(Reservation reservation) {
    QueueName queue = reservation.queue();
    reservation.books().change(queue, -reservation.jobs(), -reservation.runnable());
    reservation
        .demands()
        .forEach(
            demand ->
                flow(queue).shares().change(demand.tenant(), -demand.jobs(), System.nanoTime()));
    moves.tell();
  }

  /** Why a tenant's jobs must wait until others had their share; empty if they need not. */
  private Optional<Decision.TenantOverShare> overShare(
      QueueName queue, Shares shares, Demand demand, @Nullable String client) {
    String tenant = demand.tenant();
    OptionalInt share =
        shares.exceeded(tenant, demand.jobs(), depth(queue), cap(queue), System.nanoTime());
    return share.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Decision.TenantOverShare(
                refuse(queue, "tenant-over-share", client),
                tenant,
                shares.waiting(tenant),
                share.getAsInt()));
  }

  /** The rank of a job for which room was reserved; null for the end of the line. */
  @Nullable Long rank(QueueName queue, Submission job, Instant submittedAt) {
    int itself = job.isRunnable() ? 1 : 0;
    int before = room(queue).map(Room::runnable).orElse(itself) - itself;
    return flow(queue).rank(job, before, submittedAt, System.nanoTime());
  }

  private boolean take(Books from, Room room, String name, int cap, Reservation wanted) {
    for (int i = 0; i < TRIES && isInForce(from); i++) {
      int seen = room.balances();
      if (room.take(wanted.jobs(), wanted.runnable(), cap)) {
        return true;
      }
      boolean known = nodes == 1 || !room.isOlderThan(BALANCE, System.nanoTime());
      if (known && room.isFull(wanted.jobs(), cap)) {
        return false;
      }
      balance(from, room, name, cap, wanted.jobs(), seen);
    }
    return false;
  }

  @SuppressWarnings("ReferenceEquality") // these very books are meant
  boolean isInForce(Books some) {
    return open && books == some;
  }

  /**
   * Brings this node's permits in line with the pool, unless somebody else has done so since.
   *
   * @param wanted how many permits are needed
   * @param seen how many balances there had been when they were not there
   */
  private void balance(Books of, Room room, String name, int cap, int wanted, int seen) {
    room.balancing().lock();
    try {
      if (room.balances() == seen && isInForce(of)) {
        boolean accountOpen =
            sql.balance(
                of.account(),
                name,
                cap,
                sums -> {
                  share(sums.nodes());
                  return room.plan(sums, cap, wanted);
                });
        if (accountOpen) {
          room.granted(cap, System.nanoTime());
          moves.tell();
        } else {
          doubt(of);
        }
      }
    } catch (CannotGetJdbcConnectionException | CannotCreateTransactionException away) {
      outage = new Outage(away, System.nanoTime());
      doubt(of);
      throw away;
    } catch (DataAccessException | TransactionException away) {
      // Whether it was committed is not known.
      doubt(of);
      throw away;
    } finally {
      room.balancing().unlock();
    }
  }

  /** So many nodes share the pool now. What one that left had held is there for the others. */
  private void share(int count) {
    if (count < nodes) {
      books.total().touch();
      books.rooms().values().forEach(Room::touch);
    }
    nodes = count;
  }

  /**
   * The books may no longer agree with the database: nothing is admitted by them any more, and new
   * ones are opened when somebody asks.
   */
  void doubt(Books doubted) {
    if (isInForce(doubted)) {
      open = false;
    }
  }

  @EventListener
  void on(AccountInDoubt doubted) {
    if (doubted.account().equals(books.account())) {
      open = false;
    }
  }

  private Books openBooks() {
    if (!open) {
      open();
    }
    return books;
  }

  /** One tries, and whoever has waited for it is told what came of it. */
  private synchronized void open() {
    if (open) {
      return;
    }
    Outage known = outage;
    if (known != null && System.nanoTime() - known.at() < OPEN_AGAIN.toNanos()) {
      throw known.failure();
    }
    try {
      // In use only once it is entered: what is booked before is the old account's.
      UUID account = UUID.randomUUID();
      sql.open(account, node.name(), lease);
      books = Books.of(account);
      node.account(account);
      flows.values().forEach(flow -> flow.shares().forget());
      lookElsewhere();
      open = true;
    } catch (CannotGetJdbcConnectionException | CannotCreateTransactionException away) {
      outage = new Outage(away, System.nanoTime());
      throw away;
    }
  }

  private void lookElsewhere() {
    Books current = books;
    long now = System.nanoTime();
    Map<QueueName, List<Waiting>> elsewhere =
        sql.elsewhere(current.account()).stream().collect(Collectors.groupingBy(Waiting::queue));
    elsewhere.keySet().forEach(this::flow);
    flows.forEach(
        (queue, flow) -> {
          List<Waiting> there = elsewhere.getOrDefault(queue, List.of());
          tell(current.room(queue), there);
          flow.shares().elsewhere(there, now);
        });
    tell(current.total(), elsewhere.values().stream().flatMap(List::stream).toList());
  }

  private static void tell(Room room, List<Waiting> there) {
    room.elsewhere(
        there.stream().mapToLong(Waiting::waiting).sum(),
        there.stream().mapToLong(Waiting::runnable).sum());
  }

  private Flow flow(QueueName queue) {
    return flows.computeIfAbsent(queue, this::newFlow);
  }

  private Flow newFlow(QueueName queue) {
    Gauge.builder("millpond.queue.depth", this, permits -> permits.depth(queue))
        .description("Jobs that wait in the queue")
        .tag("queue", queue.value())
        .register(meters);
    Gauge.builder("millpond.queue.cap", this, permits -> permits.cap(queue))
        .description("Jobs that may wait in the queue")
        .tag("queue", queue.value())
        .register(meters);
    Gauge.builder(
            "millpond.queue.drain.rate", this, permits -> permits.drainRate(queue).orElse(NaN))
        .description("Jobs of the queue that start in a second while others wait")
        .tag("queue", queue.value())
        .register(meters);
    Gauge.builder("millpond.queue.estimated.wait", this, permits -> permits.waitSeconds(queue))
        .description("How long a job that comes now would wait for its start")
        .baseUnit("seconds")
        .tag("queue", queue.value())
        .register(meters);
    return new Flow(
        Duration.ofSeconds(properties.maxRetryAfter()), believed.getOrDefault(queue.value(), 0.0));
  }

  /** How many jobs wait in the queue, as far as this node knows. */
  public int depth(QueueName queue) {
    return room(queue).map(Room::depth).orElse(0);
  }

  private int runnable(QueueName queue) {
    return room(queue).map(Room::runnable).orElse(0);
  }

  // To ask about a queue must not cost memory: any text may come in a path.
  private Optional<Room> room(QueueName queue) {
    return Optional.ofNullable(books.rooms().get(queue));
  }

  private Optional<Flow> known(QueueName queue) {
    return Optional.ofNullable(flows.get(queue));
  }

  /** How many jobs of the queue start in a second while others wait; empty until it is known. */
  public OptionalDouble drainRate(QueueName queue) {
    return known(queue)
        .map(flow -> flow.drainRate(System.nanoTime()))
        .orElse(OptionalDouble.empty());
  }

  /** For how long the jobs that this node started last had waited; empty if it started none. */
  public Optional<Waits.Percentiles> waits(QueueName queue) {
    return known(queue).flatMap(Flow::waits);
  }

  /** Roughly how many jobs will start before one that could have started for the given time. */
  public int ahead(QueueName queue, Duration waited) {
    int runnable = runnable(queue);
    return known(queue).map(flow -> flow.ahead(runnable, waited, System.nanoTime())).orElse(0);
  }

  /**
   * Why nothing can be admitted to the queue now; empty if there may be room for a job. Touches no
   * database.
   */
  Optional<Refusal> refusal(QueueName queue, @Nullable String client) {
    int cap = cap(queue);
    boolean full =
        room(queue).map(room -> room.isFull(1, cap)).orElse(cap == 0)
            || books.total().isFull(1, properties.totalCap())
            || known(queue)
                .map(flow -> flow.isForOthers(here(client), depth(queue), cap, System.nanoTime()))
                .orElse(false);
    return full ? Optional.of(full(queue, client)) : Optional.empty();
  }

  /**
   * Where there are several nodes, a client may come back to another one, which does not know it.
   */
  private @Nullable String here(@Nullable String client) {
    return nodes == 1 ? client : null;
  }

  private Refusal full(QueueName queue, @Nullable String client) {
    known(queue).ifPresent(flow -> flow.foundNoRoom(here(client), System.nanoTime()));
    return refuse(queue, "queue-full", client);
  }

  private Refusal refuse(QueueName queue, String reason, @Nullable String client) {
    meters.counter("millpond.submits.refused", "reason", reason).increment();
    long now = System.nanoTime();
    Flow flow = known(queue).orElse(elsewhere);
    String stuck = stuck(queue);
    OptionalDouble rate = stuck == null ? flow.drainRate(now) : OptionalDouble.of(0);
    return new Refusal(
        queue, depth(queue), cap(queue), rate, flow.book(here(client), rate, now), stuck);
  }

  /** Why the queue does not drain; null if it does, or nobody knows why. */
  private @Nullable String stuck(QueueName queue) {
    if (queues.isPaused(queue)) {
      return "paused";
    }
    boolean moving = known(queue).map(flow -> flow.isMoving(System.nanoTime())).orElse(false);
    return depth(queue) > 0 && runnable(queue) == 0 && !moving ? "scheduled" : null;
  }

  /** A stream found no room: when its turn comes. */
  Duration book(QueueName queue, String client) {
    long now = System.nanoTime();
    Flow flow = flow(queue);
    flow.foundNoRoom(here(client), now);
    OptionalDouble rate = stuck(queue) == null ? flow.drainRate(now) : OptionalDouble.of(0);
    return flow.book(here(client), rate, now);
  }

  /** Tells when there may be room again. */
  Moves moves() {
    return moves;
  }

  /**
   * How many jobs may wait in the queue now: its cap, or what its maxWait allows if that is less.
   */
  public int cap(QueueName queue) {
    int cap = queues.find(queue).map(Queue::cap).orElse(queues.defaultCap());
    return Math.min(cap, known(queue).map(Flow::capInTime).orElse(Integer.MAX_VALUE));
  }

  /**
   * How long a job that is admitted to the queue now would wait for its start; empty if that is not
   * known. A priority above that of the jobs that started last waits for none of the others.
   */
  Optional<Duration> estimatedWait(QueueName queue, int priority) {
    int runnable = runnable(queue);
    return known(queue).flatMap(flow -> flow.wait(runnable, priority, System.nanoTime()));
  }

  private double waitSeconds(QueueName queue) {
    return estimatedWait(queue, 0).map(wait -> wait.toMillis() / 1e3).orElse(NaN);
  }

  /** How many more jobs the queue takes as far as this node knows; at least 0. */
  public int room(QueueName queue, int cap) {
    return Math.max(0, Math.min(cap - depth(queue), properties.totalCap() - books.total().depth()));
  }

  @EventListener
  void on(JobsStarted started) {
    QueueName queue = started.queue();
    long now = System.nanoTime();
    Flow flow = flow(queue);
    // With a limit on the queue's concurrency some may be left although slots were. Where jobs wait
    // for keys, each start makes room for those who wait for that.
    boolean crowded = depth(queue) > 0 && depth(queue) >= cap(queue) * Flow.CROWDED;
    boolean more = started.more() || runnable(queue) > 0 || (crowded && flow.hasLine(now));
    flow.started(started, more, now);
    flow.error(started.waits().getLast(), now)
        .ifPresent(
            error ->
                meters
                    .summary("millpond.queue.estimate.error", "queue", queue.value())
                    .record(error));
  }

  @EventListener
  void on(LineChanged line) {
    flow(line.queue()).lined(System.nanoTime());
  }

  @EventListener
  void on(DepthChanged change) {
    Books current = books;
    if (change.account().equals(current.account())) {
      current.change(change.queue(), change.waiting(), change.runnable());
      flow(change.queue()).shares().change(change.tenant(), change.waiting(), System.nanoTime());
      moves.tell();
    }
    unfolded.incrementAndGet();
  }

  /** A submit was written. */
  void written() {
    unfolded.incrementAndGet();
  }

  @Scheduled(fixedDelayString = "PT0.2S")
  void turn() {
    try {
      Books current = openBooks();
      long now = System.nanoTime();
      Duration every = nodes == 1 ? PACE : BALANCE;
      boolean shared = nodes > 1;
      if (current.total().isDue(every, properties.totalCap(), shared, now)) {
        balance(current, current.total(), ALL_QUEUES, properties.totalCap(), 0);
      }
      current
          .rooms()
          .forEach(
              (queue, room) -> {
                if (room.isDue(every, cap(queue), shared, now)) {
                  balance(current, room, queue.value(), cap(queue), 0);
                }
              });
      flows.forEach(
          (queue, flow) -> {
            if (queues.isPaused(queue)) {
              flow.paused();
            }
            limit(queue, flow, now);
            flow.estimate(runnable(queue), now);
            tell(queue, flow, now);
          });
      if (unfolded.get() > FOLD_AFTER) {
        fold();
      }
    } catch (DataAccessException | TransactionException away) {
      log.debug("Cannot balance the permits: {}", away.getMessage());
    }
  }

  /** Sums up what this node's statements have added to the books. */
  void fold() {
    unfolded.set(0);
    sql.fold(books.account());
  }

  private void balance(Books of, Room room, String name, int cap, int wanted) {
    balance(of, room, name, cap, wanted, room.balances());
  }

  private void limit(QueueName queue, Flow flow, long now) {
    Duration maxWait = queues.find(queue).map(Queue::maxWait).orElse(null);
    int later = room(queue).map(room -> room.depth() - room.runnable()).orElse(0);
    flow.limit(maxWait, later, leastInTime, now);
  }

  private void tell(QueueName queue, Flow flow, long now) {
    if (flow.isToTell(nodes > 1, now)) {
      Optional<Others> others =
          sql.pace(
              queue,
              node.name(),
              flow.here(now).orElse(0),
              flow.hasRefused(PACE, now),
              flow.fronts());
      flow.elsewhere(others.orElse(Others.NONE), now);
    }
  }

  @Override
  public void configureTasks(ScheduledTaskRegistrar tasks) {
    tasks.addFixedDelayTask(this::renew, renewal);
  }

  /** Keeps the account open, and closes those of the dead. */
  void renew() {
    Books current = books;
    try {
      Accounts accounts = sql.renew(current.account(), lease);
      share(Math.max(1, accounts.accounts()));
      if (!accounts.open()) {
        doubt(current);
      }
      if (accounts.closed() > 0) {
        sql.foldClosed();
      }
      if (nodes > 1) {
        lookElsewhere();
      }
    } catch (DataAccessException away) {
      log.debug("Cannot renew the account: {}", away.getMessage());
    }
  }

  @PreDestroy
  void close() {
    try {
      sql.close(books.account());
    } catch (DataAccessException away) {
      log.debug("Cannot close the account: {}", away.getMessage());
    }
  }
}
