package dev.millpond.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Every test leaves the one data directory whole, stopped, and with its one row. */
class EmbeddedPostgresIT {

  /** Of what takes a second or two: starts of a JVM, of a server, its recovery. */
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir static Path temp;
  private static Path dataDir;

  /** A fresh machine, on which an earlier unpacking was cut off. */
  @BeforeAll
  static void aFreshStartIgnoresWhatWasLeftHalfDone() throws Exception {
    dataDir = temp.resolve("data");
    Path cutOff = Files.createDirectories(dataDir.resolve("unfinished/bin")).resolve("initdb");
    Files.writeString(cutOff, "half of it");
    try (var postgres = EmbeddedPostgres.start(dataDir)) {
      execute(postgres, "create table kept (id int primary key)");
      execute(postgres, "insert into kept values (42)");
    }
    assertThat(dataDir.resolve("unfinished")).doesNotExist();
  }

  @AfterEach
  void nothingOfItRunsAfterwards() throws Exception {
    assertThat(programsOf(dataDir)).isEmpty();
  }

  @Test
  void keepsDataAndListensBehindAPasswordOnLoopbackOnly() throws Exception {
    try (var postgres = EmbeddedPostgres.start(dataDir)) {
      assertThat(query(postgres, "select id from kept")).isEqualTo("42");
      assertThat(query(postgres, "show fsync")).isEqualTo("on");
      assertThat(query(postgres, "show synchronous_commit")).isEqualTo("on");
      assertThat(query(postgres, "show listen_addresses")).isEqualTo("127.0.0.1");
      assertThat(query(postgres, "show unix_socket_directories")).isEmpty();
      assertThatThrownBy(
              () -> DriverManager.getConnection(postgres.jdbcUrl(), postgres.user(), "guessed"))
          .hasMessageContaining("password authentication failed");
    }
    assertThat(PosixFilePermissions.toString(permissions("password"))).isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(permissions("cluster"))).isEqualTo("rwx------");
  }

  @Test
  void theCheckReadsWhatTheServerSaysOfItself() throws Exception {
    try (var postgres = EmbeddedPostgres.start(dataDir)) {
      var careless =
          new DriverManagerDataSource(
              postgres.jdbcUrl() + "?options=-c%20synchronous_commit=off",
              postgres.user(),
              postgres.password());

      DatabaseCheck check = DatabaseCheck.run(careless, postgres.jdbcUrl());

      assertThat(check.version()).isBetween(180_000, 189_999);
      assertThat(check.unsafe()).containsExactly("synchronous_commit");
    }
  }

  @Test
  void comesBackOnTheSamePortWhenThePostmasterIsKilledAndItsBackendsAreBusy() throws Exception {
    try (var postgres = EmbeddedPostgres.start(dataDir);
        Connection busy = connect(postgres);
        Statement endless = busy.createStatement()) {
      long backend = Long.parseLong(query(busy, "select pg_backend_pid()"));
      Thread loop =
          Thread.ofVirtual().start(() -> runUntilCutOff(endless, "do 'begin loop end loop; end'"));
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(
                          query(
                              postgres,
                              "select state from pg_stat_activity where pid = " + backend))
                      .isEqualTo("active"));
      ProcessHandle postmaster = postmaster();

      assertThat(postmaster.destroyForcibly()).isTrue();

      await()
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(20))
          .ignoreExceptions()
          .until(() -> query(postgres, "select id from kept").equals("42"));
      assertThat(postmaster().pid()).isNotEqualTo(postmaster.pid());
      assertThat(ProcessHandle.of(backend).flatMap(process -> process.info().command())).isEmpty();
      assertThat(loop.join(SOON)).isTrue();
    }
  }

  @Test
  void anOrphanOfAKilledServiceIsStoppedAndItsDataKept() throws Exception {
    Process service = ServerProcess.launch(dataDir);
    try {
      await().atMost(SOON).until(() -> whileAlive(service) && isReady(dataDir));
      long orphan = postmaster().pid();
      assertThat(service.destroyForcibly().waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(ProcessHandle.of(orphan)).isPresent();

      try (var postgres = EmbeddedPostgres.start(dataDir)) {
        assertThat(query(postgres, "select id from kept")).isEqualTo("42");
        assertThat(postmaster().pid()).isNotEqualTo(orphan);
      }
    } finally {
      service.destroyForcibly();
    }
  }

  @Test
  void aSecondStartIsRefusedAtOnceInThisProcessAndInAnother() throws Exception {
    try (var postgres = EmbeddedPostgres.start(dataDir)) {
      assertThatThrownBy(() -> EmbeddedPostgres.start(dataDir))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(dataDir.toRealPath() + " is in use")
          .hasMessageContaining("millpond.data-dir");

      Process second = ServerProcess.launch(dataDir);
      String said = new String(second.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(second.waitFor()).isNotZero();
      assertThat(said)
          .contains("is in use by another Millpond (process " + ProcessHandle.current().pid());

      assertThat(query(postgres, "select id from kept")).isEqualTo("42");
    }
  }

  @Test
  void anInitdbThatWasCutOffIsDoneAgain() throws Exception {
    Path other = temp.resolve("other");
    linkPrograms(other);
    Process service = ServerProcess.launch(other);
    try {
      await()
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(5))
          .until(() -> whileAlive(service) && Files.exists(other.resolve("unfinished/PG_VERSION")));
      assertThat(service.destroyForcibly().waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(other.resolve("cluster")).doesNotExist();

      try (var postgres = EmbeddedPostgres.start(other)) {
        assertThat(query(postgres, "select 1")).isEqualTo("1");
      }
      assertThat(other.resolve("unfinished")).doesNotExist();
      assertThat(programsOf(other)).isEmpty();
    } finally {
      service.destroyForcibly();
    }
  }

  @Test
  void aPidFileThatNamesAStrangerHarmsNobody() throws Exception {
    Process stranger = new ProcessBuilder("sleep", "60").start();
    try {
      Files.writeString(dataDir.resolve("cluster/postmaster.pid"), stranger.pid() + "\n");
      try (var postgres = EmbeddedPostgres.start(dataDir)) {
        assertThat(query(postgres, "select id from kept")).isEqualTo("42");
      }
      assertThat(stranger.isAlive()).isTrue();
    } finally {
      stranger.destroyForcibly();
    }
  }

  @Test
  void dataOfAnotherMajorVersionIsRefusedByName() throws Exception {
    Path version = dataDir.resolve("cluster/PG_VERSION");
    String ours = Files.readString(version);
    Files.writeString(version, "9.6\n");
    try {
      assertThatThrownBy(() -> EmbeddedPostgres.start(dataDir))
          .hasMessageContaining("was made by PostgreSQL 9.6")
          .hasMessageContaining("brings PostgreSQL 18");
    } finally {
      Files.writeString(version, ours);
    }
  }

  @Test
  void aFailedStartShowsTheEndOfTheServersLog() throws Exception {
    Path overrides = dataDir.resolve("cluster/postgresql.auto.conf");
    String before = Files.readString(overrides);
    Files.writeString(overrides, "no_such_setting = 1\n");
    try {
      assertThatThrownBy(() -> EmbeddedPostgres.start(dataDir))
          .hasMessageContaining("PostgreSQL did not start")
          .hasMessageContaining("unrecognized configuration parameter \"no_such_setting\"");
    } finally {
      Files.writeString(overrides, before);
    }
  }

  @Test
  void aDataDirectoryThatCannotBeMadeIsNamed() throws Exception {
    Path file = Files.createFile(temp.resolve("file"));

    assertThatThrownBy(() -> EmbeddedPostgres.start(file.resolve("data")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("cannot start in " + file.resolve("data"))
        .hasMessageContaining("can be written");
  }

  private static boolean whileAlive(Process service) throws IOException {
    if (!service.isAlive()) {
      throw new AssertionError(
          new String(service.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    }
    return true;
  }

  private static boolean isReady(Path directory) throws IOException {
    Path pidFile = directory.resolve("cluster/postmaster.pid");
    return Files.exists(pidFile) && Files.readString(pidFile).contains("ready");
  }

  private static ProcessHandle postmaster() throws IOException {
    Path pidFile = dataDir.resolve("cluster/postmaster.pid");
    return ProcessHandle.of(Long.parseLong(Files.readAllLines(pidFile).getFirst())).orElseThrow();
  }

  private static List<ProcessHandle> programsOf(Path directory) throws IOException {
    try (DataDirectory taken = DataDirectory.take(directory)) {
      return taken.processes();
    }
  }

  /** Unpacking once is enough; hard links, because a server knows its programs by their place. */
  private static void linkPrograms(Path target) throws IOException {
    Path programs;
    try (var found = Files.newDirectoryStream(dataDir, "programs-*")) {
      programs = found.iterator().next();
    }
    Files.createDirectories(target);
    try (var files = Files.walk(programs)) {
      for (Path file : files.toList()) {
        Path link = target.resolve(dataDir.relativize(file));
        if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
          Files.createDirectory(link);
        } else {
          Files.createLink(link, file);
        }
      }
    }
  }

  private static Set<PosixFilePermission> permissions(String name) throws IOException {
    return Files.getPosixFilePermissions(dataDir.resolve(name));
  }

  private static void runUntilCutOff(Statement statement, String sql) {
    try {
      statement.execute(sql);
    } catch (SQLException expected) {
      assertThat(expected.getSQLState()).startsWith("08");
    }
  }

  private static Connection connect(EmbeddedPostgres postgres) throws SQLException {
    return DriverManager.getConnection(postgres.jdbcUrl(), postgres.user(), postgres.password());
  }

  private static void execute(EmbeddedPostgres postgres, String sql) throws SQLException {
    try (Connection connection = connect(postgres);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static String query(EmbeddedPostgres postgres, String sql) throws SQLException {
    try (Connection connection = connect(postgres)) {
      return query(connection, sql);
    }
  }

  private static String query(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
