package dev.millpond.testing;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives a test the one service, on its own embedded PostgreSQL, that all end-to-end tests share
 * which do not harm it. It is started for the first of them and stopped after the last.
 */
public final class SharedMillpond implements ParameterResolver {

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
    Class<?> type = parameter.getParameter().getType();
    return type == MillpondProcess.class || type == ApiClient.class;
  }

  /** The process, or why it did not start: one try is enough for a run. */
  private record Started(MillpondProcess process, @Nullable Throwable failure)
      implements AutoCloseable {

    @Override
    public void close() {
      process.close();
    }
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
    Started started =
        test.getRoot()
            .getStore(Namespace.create(SharedMillpond.class))
            .computeIfAbsent("process", key -> start(), Started.class);
    if (started.failure() != null) {
      throw new IllegalStateException("the service did not start", started.failure());
    }
    MillpondProcess process = started.process();
    return parameter.getParameter().getType() == ApiClient.class ? process.api() : process;
  }

  private static Started start() {
    MillpondProcess process =
        new MillpondProcess("shared", Map.of("millpond.http.allow-private-addresses", "true"));
    try {
      return new Started(process.start(), null);
    } catch (RuntimeException | Error e) {
      process.close();
      return new Started(process, e);
    }
  }
}
