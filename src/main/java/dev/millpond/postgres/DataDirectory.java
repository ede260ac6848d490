package dev.millpond.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.util.FileSystemUtils;

/**
 * A data directory that this process alone holds, until it is closed or the process ends, however
 * it ends. All names in it are given here.
 */
final class DataDirectory implements AutoCloseable {

  /**
   * The lock of an operating system belongs to the process, and is lost when <em>any</em> channel
   * to the file closes: a second taker in this process must not even open it.
   */
  private static final Set<Path> heldHere = ConcurrentHashMap.newKeySet();

  private final Path root;
  private final FileChannel lock;

  private DataDirectory(Path root, FileChannel lock) {
    this.root = root;
    this.lock = lock;
  }

  /** Makes the directory if need be and takes it, or fails at once if somebody else has it. */
  static DataDirectory take(Path directory) throws IOException {
    Path root = directory.toAbsolutePath().normalize();
    if (!Files.isDirectory(root)) {
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    root = root.toRealPath();
    if (!heldHere.add(root)) {
      throw inUse(root, "this process");
    }
    try {
      return new DataDirectory(root, lock(root));
    } catch (IOException | RuntimeException e) {
      heldHere.remove(root);
      throw e;
    }
  }

  private static FileChannel lock(Path root) throws IOException {
    Path file = root.resolve("lock");
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw inUse(root, "process " + Files.readString(file).strip());
      }
      channel.truncate(0);
      String pid = ProcessHandle.current().pid() + "\n";
      channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static StartFailure inUse(Path root, String owner) {
    return new StartFailure(
        "The data directory %s is in use by another Millpond (%s).".formatted(root, owner),
        "Stop that one first, or give this one a directory of its own (millpond.data-dir). Several"
            + " instances on one queue need a shared PostgreSQL (spring.datasource.url).");
  }

  Path root() {
    return root;
  }

  Path cluster() {
    return root.resolve("cluster");
  }

  Path password() {
    return root.resolve("password");
  }

  Path log() {
    return root.resolve("postgres.log");
  }

  Path programs(String version) {
    return root.resolve("programs-" + version);
  }

  /** Where things are made that must never look done before they are; emptied at each start. */
  Path unfinished() {
    return root.resolve("unfinished");
  }

  /**
   * Gives a whole thing its name, on the disk too: a name lost in a power cut would lose the jobs.
   */
  void finish(Path target) throws IOException {
    Files.move(unfinished(), target, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel names = FileChannel.open(root, StandardOpenOption.READ)) {
      names.force(true);
    }
  }

  void deleteUnfinished() throws IOException {
    FileSystemUtils.deleteRecursively(unfinished());
  }

  /**
   * The live processes that run a program of this directory. Judged by the program and not by a pid
   * in a file, because pids come round again; and not by the parent, because an orphan has none.
   */
  List<ProcessHandle> processes() {
    String programs = programs("").toString();
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().command().filter(c -> c.startsWith(programs)).isPresent())
        .toList();
  }

  /** Ends all of them the hard way. The log that is written ahead makes that safe for the data. */
  void killProcesses() {
    if (!Wait.until(
        Duration.ofSeconds(10),
        () -> {
          List<ProcessHandle> left = processes();
          left.forEach(ProcessHandle::destroyForcibly);
          return left.isEmpty();
        })) {
      throw new StartFailure(
          "PostgreSQL processes of %s do not end: %s".formatted(root, processes()),
          "End them by hand and start again.");
    }
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      heldHere.remove(root);
    }
  }
}
