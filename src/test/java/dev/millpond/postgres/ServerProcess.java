package dev.millpond.postgres;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A Java process of its own that starts a server and then waits to be killed. */
final class ServerProcess {

  private ServerProcess() {}

  static void main(String[] args) throws InterruptedException {
    EmbeddedPostgres.start(Path.of(args[0]));
    Thread.sleep(Long.MAX_VALUE);
  }

  /** What it prints comes through its standard output. */
  static Process launch(Path dataDir) throws IOException {
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                ServerProcess.class.getName(),
                dataDir.toString()))
        .redirectErrorStream(true)
        .start();
  }
}
