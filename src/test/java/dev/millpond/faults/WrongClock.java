package dev.millpond.faults;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A library that tells a process another time of day, while its stop watches go on as they are. */
final class WrongClock {

  private static final Path LIBRARY =
      Path.of("/usr/lib/" + arch() + "-linux-gnu/faketime/libfaketimeMT.so.1");

  private WrongClock() {}

  private static String arch() {
    return System.getProperty("os.arch").equals("amd64") ? "x86_64" : "aarch64";
  }

  static boolean isInstalled() {
    return Files.exists(LIBRARY);
  }

  /** For the environment of a process that shall be an hour ahead. */
  static Map<String, String> variables() {
    return Map.of(
        "LD_PRELOAD", LIBRARY.toString(), "FAKETIME", "+1h", "FAKETIME_DONT_FAKE_MONOTONIC", "1");
  }
}
