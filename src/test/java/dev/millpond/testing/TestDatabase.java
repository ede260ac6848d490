package dev.millpond.testing;

/** Which PostgreSQL the tests run on. Both are real servers with fsync on. */
public enum TestDatabase {
  /** The official image, as users deploy it. */
  CONTAINER("a Docker engine answers, so the official image runs in it (Testcontainers)"),
  /** The server that the product brings. */
  EMBEDDED("no Docker engine answers, so the product's own embedded server runs");

  private final String reason;

  TestDatabase(String reason) {
    this.reason = reason;
  }

  /**
   * The decision. An engine wins, because its server is not the one that the end-to-end tests use
   * anyway.
   */
  static TestDatabase choose(boolean dockerAvailable) {
    return dockerAvailable ? CONTAINER : EMBEDDED;
  }

  /** The line that a test run prints, so that nobody has to guess what was tested. */
  String announcement() {
    return "Test database: %s, because %s.".formatted(name(), reason);
  }
}
