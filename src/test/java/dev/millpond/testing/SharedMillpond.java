package dev.millpond.testing;

import java.util.Map;
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

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
    MillpondProcess process =
        test.getRoot()
            .getStore(Namespace.create(SharedMillpond.class))
            .computeIfAbsent("process", key -> start(), MillpondProcess.class);
    return parameter.getParameter().getType() == ApiClient.class ? process.api() : process;
  }

  private static MillpondProcess start() {
    MillpondProcess process =
        new MillpondProcess("shared", Map.of("millpond.http.allow-private-addresses", "true"));
    try {
      return process.start();
    } catch (RuntimeException | Error e) {
      process.close();
      throw e;
    }
  }
}
