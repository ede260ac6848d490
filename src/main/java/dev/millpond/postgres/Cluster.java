package dev.millpond.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What initdb makes: the data of one server, which one major version of PostgreSQL can read. */
record Cluster(Path directory, String password) {

  static final String USER = "millpond";

  private static final Logger log = LoggerFactory.getLogger(Cluster.class);

  /** Opens the cluster of a data directory, or makes it if there is none. */
  static Cluster in(DataDirectory directory, Programs programs) throws IOException {
    Path cluster = directory.cluster();
    if (Files.notExists(cluster)) {
      log.info("Making a new PostgreSQL cluster in {}", cluster);
      initialise(directory, programs);
    }
    requireMajor(programs.major(), cluster);
    if (Files.notExists(directory.password())) {
      throw new StartFailure(
          "The password of the cluster in %s is missing: no file %s."
              .formatted(cluster, directory.password()),
          "Put the file back from a backup of the data directory.");
    }
    return new Cluster(cluster, Files.readString(directory.password()).strip());
  }

  private static void initialise(DataDirectory directory, Programs programs) throws IOException {
    writePassword(directory.password());
    Programs.Result result =
        programs.run(
            Duration.ofMinutes(2),
            "initdb",
            "--pgdata=" + directory.unfinished(),
            "--username=" + USER,
            "--pwfile=" + directory.password(),
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            // Built in, so that no update of the system's library changes the order of an index.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions");
    if (result.exitCode() != 0) {
      throw new IOException("initdb failed: " + result.lastLines());
    }
    directory.finish(directory.cluster());
  }

  /** On the disk before the cluster is, which cannot be opened without it. */
  private static void writePassword(Path file) throws IOException {
    byte[] secret = new byte[24];
    new SecureRandom().nextBytes(secret);
    Files.deleteIfExists(file);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        file,
        HexFormat.of().formatHex(secret) + "\n",
        StandardOpenOption.WRITE,
        StandardOpenOption.SYNC);
  }

  private static void requireMajor(String ours, Path cluster) throws IOException {
    Path file = cluster.resolve("PG_VERSION");
    String theirs = Files.exists(file) ? Files.readString(file).strip() : "of an unknown version";
    if (!theirs.equals(ours)) {
      throw new StartFailure(
          "The data in %s was made by PostgreSQL %s; this Millpond brings PostgreSQL %s."
              .formatted(cluster, theirs, ours),
          "Start the Millpond that made it and move the data with pg_dump, or let millpond.data-dir"
              + " name another directory.");
    }
  }

  /** Settings come from the class path each time, so that an upgrade brings its own. */
  void writeSettings() throws IOException {
    try (var settings = Cluster.class.getResourceAsStream("postgresql.conf")) {
      Files.copy(
          Objects.requireNonNull(settings),
          directory.resolve("postgresql.conf"),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
