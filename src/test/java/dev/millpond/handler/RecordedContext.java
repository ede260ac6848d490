package dev.millpond.handler;

import dev.millpond.job.Predecessor;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A job of a test; what its handler reports is kept. */
final class RecordedContext implements JobContext {

  static final UUID ID = UUID.fromString("01932f7c-0000-7000-8000-000000000001");
  static final String TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  final List<Integer> percents = new CopyOnWriteArrayList<>();

  private final int attempt;

  RecordedContext(int attempt) {
    this.attempt = attempt;
  }

  @Override
  public UUID id() {
    return ID;
  }

  @Override
  public int attempt() {
    return attempt;
  }

  @Override
  public @Nullable String traceparent() {
    return TRACEPARENT;
  }

  @Override
  public Stream<Predecessor> predecessors() {
    return Stream.empty();
  }

  @Override
  public void progress(int percent, String message) {
    percents.add(percent);
  }

  @Override
  public void log(String line) {}

  @Override
  public boolean cancelRequested() {
    return false;
  }
}
