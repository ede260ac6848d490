package dev.millpond.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** The process that leads a server, whether we started it or found it. */
record Postmaster(ProcessHandle process) {

  /** How a postmaster is asked to stop; PostgreSQL's manual, "Shutting Down the Server". */
  enum Mode {
    /** Cuts clients off and writes a checkpoint. */
    FAST("INT", Duration.ofSeconds(30)),
    /** Ends at once, and the next start replays the log. */
    IMMEDIATE("QUIT", Duration.ofSeconds(5));

    private final String signal;
    private final Duration atMost;

    Mode(String signal, Duration atMost) {
      this.signal = signal;
      this.atMost = atMost;
    }
  }

  /** The one that runs on the cluster of this directory. */
  static Optional<Postmaster> of(DataDirectory directory) {
    try (var lines = Files.lines(pidFile(directory))) {
      long pid = Long.parseLong(lines.findFirst().orElse("").strip());
      return directory.processes().stream()
          .filter(process -> process.pid() == pid)
          .findFirst()
          .map(Postmaster::new);
    } catch (IOException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  static Path pidFile(DataDirectory directory) {
    return directory.cluster().resolve("postmaster.pid");
  }

  /**
   * It is no child of ours, so that Java would look only every few seconds. Dead but still listed,
   * it runs no program: so it stays where process 1, perhaps we, does not collect orphans.
   */
  boolean hasEnded() {
    return !process.isAlive() || process.info().command().isEmpty();
  }

  /** False if it has not ended in the time that this mode may take. */
  boolean stop(Mode mode) {
    try {
      // The shell's own, because not every image has a kill program and Java has only two signals.
      new ProcessBuilder("sh", "-c", "kill -%s %d".formatted(mode.signal, process.pid()))
          .start()
          .onExit()
          .join();
    } catch (IOException e) {
      return false;
    }
    return Wait.until(mode.atMost, this::hasEnded);
  }
}
