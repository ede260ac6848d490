package dev.millpond.faults;

import dev.millpond.faults.agent.Agent;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/**
 * Changes to the classes of a service that make it break; armed when the test says so, so that the
 * service starts unharmed.
 */
final class Breakage {

  private static final Path DIRECTORY = Path.of("target", "faults").toAbsolutePath();

  private final Path armed;
  private final String option;

  /**
   * @param changes as {@link Agent} reads them
   */
  Breakage(String name, long seed, List<String> changes) {
    armed = DIRECTORY.resolve(name + ".armed");
    try {
      Files.createDirectories(DIRECTORY);
      Files.deleteIfExists(armed);
      option = "-javaagent:%s=%s;%d;%s".formatted(jar(), armed, seed, String.join(";", changes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The option of {@code java} that loads it. */
  String option() {
    return option;
  }

  /** Lets one of the changes do harm, in every process that has loaded it. */
  void arm(String change) {
    try {
      Files.writeString(armed, change);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void disarm() {
    arm("");
  }

  private static Path jar() throws IOException {
    Path jar = DIRECTORY.resolve("agent.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().putValue("Premain-Class", Agent.class.getName());
    Path classes =
        Path.of("target", "test-classes", Agent.class.getPackageName().replace('.', '/'));
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
        Stream<Path> files = Files.list(classes)) {
      for (Path file : files.toList()) {
        out.putNextEntry(
            new JarEntry(
                Agent.class.getPackageName().replace('.', '/') + "/" + file.getFileName()));
        try (InputStream in = Files.newInputStream(file)) {
          in.transferTo(out);
        }
      }
    }
    return jar;
  }
}
