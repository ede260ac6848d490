package dev.millpond.testing;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.DriverDataSource;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Random;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/**
 * Lets one in twenty of the service's statements and commits fail as a lost connection would, with
 * {@code -Dstore.faults=before} before it took effect, with {@code after} after it did. The pool
 * gives the connection up then, as it does with a lost one.
 *
 * <p>The threads of the tests are spared: the service starts unharmed, and what a test asks the
 * database beside it is answered.
 */
public final class StoreFaults implements BeanPostProcessor {

  /** When a statement fails. */
  public enum When {
    NEVER,
    BEFORE,
    AFTER
  }

  /** What this run was told. */
  public static final When CHOSEN =
      When.valueOf(System.getProperty("store.faults", "never").toUpperCase(Locale.ROOT));

  private static final int PERCENT = 5;
  private static final Logger log = LoggerFactory.getLogger(StoreFaults.class);
  private static final Random random = new Random(Long.getLong("faults.seed", 1));

  @Override
  public Object postProcessBeforeInitialization(Object bean, String name) {
    if (CHOSEN != When.NEVER && bean instanceof HikariDataSource pool) {
      log.info("{} % of the statements of {} fail {} they took effect", PERCENT, name, CHOSEN);
      pool.setDataSource(
          failing(
              CHOSEN,
              new DriverDataSource(
                  pool.getJdbcUrl(),
                  null,
                  pool.getDataSourceProperties(),
                  pool.getUsername(),
                  pool.getPassword())));
    }
    return bean;
  }

  /** A source of connections on which statements fail. */
  static DataSource failing(When when, DataSource source) {
    return new DelegatingDataSource(source) {
      @Override
      public Connection getConnection() throws SQLException {
        return spoilt(Connection.class, super.getConnection(), when);
      }

      @Override
      public Connection getConnection(String user, String password) throws SQLException {
        return spoilt(Connection.class, super.getConnection(user, password), when);
      }
    };
  }

  private static <T> T spoilt(Class<T> type, T target, When when) {
    InvocationHandler handler = (_, method, arguments) -> call(target, method, arguments, when);
    return type.cast(
        Proxy.newProxyInstance(StoreFaults.class.getClassLoader(), new Class<?>[] {type}, handler));
  }

  private static @Nullable Object call(
      Object target, Method method, Object @Nullable [] arguments, When when) throws Throwable {
    boolean fails = isStatement(method) && isDrawn();
    if (fails && when == When.BEFORE) {
      throw broken();
    }
    Object result;
    try {
      result = method.invoke(target, arguments);
    } catch (InvocationTargetException thrown) {
      throw thrown.getCause();
    }
    if (fails && when == When.AFTER) {
      throw broken();
    }
    return switch (result) {
      case PreparedStatement prepared -> spoilt(PreparedStatement.class, prepared, when);
      case Statement plain -> spoilt(Statement.class, plain, when);
      case null, default -> result;
    };
  }

  private static boolean isStatement(Method method) {
    return method.getName().startsWith("execute") || method.getName().equals("commit");
  }

  private static boolean isDrawn() {
    String thread = Thread.currentThread().getName();
    return !thread.equals("main")
        && !thread.startsWith("awaitility")
        && random.nextInt(100) < PERCENT;
  }

  private static SQLException broken() {
    return new SQLException("broken on purpose", "08006");
  }
}
