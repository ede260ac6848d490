package dev.millpond.postgres;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * The file that the server appends its messages to. Bounded from outside by copying and cutting,
 * which the server does not notice, since it appends: one file of the limit and one before it.
 */
record ServerLog(Path file, long limit) {

  private static final int TAIL_BYTES = 8_192;
  private static final int TAIL_LINES = 20;

  long size() throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  void bound() throws IOException {
    if (size() <= limit) {
      return;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      try {
        Files.copy(
            file,
            file.resolveSibling(file.getFileName() + ".1"),
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        // Even where the copy failed: a full disk is just when the log must not grow.
        channel.truncate(0);
      }
    }
  }

  /** The last lines that were written after the log had the given size. */
  String tailFrom(long start) throws IOException {
    long end = size();
    long from = Math.max(Math.min(start, end), end - TAIL_BYTES);
    if (from == end) {
      return "";
    }
    try (var in = Files.newInputStream(file)) {
      in.skipNBytes(from);
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      return String.join(
          System.lineSeparator(),
          lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
    }
  }
}
