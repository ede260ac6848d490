package dev.millpond.postgres;

import java.util.Set;
import org.springframework.boot.sql.init.dependency.AbstractBeansOfTypeDatabaseInitializerDetector;
import org.springframework.core.Ordered;

/**
 * Puts {@link DatabaseCheck} before the migrations, and so before all that needs a migrated schema:
 * a server that is too old is refused by name and not by a syntax error in a migration.
 */
final class DatabaseCheckFirst extends AbstractBeansOfTypeDatabaseInitializerDetector {

  @Override
  protected Set<Class<?>> getDatabaseInitializerBeanTypes() {
    return Set.of(DatabaseCheck.class);
  }

  @Override
  public int getOrder() {
    return Ordered.HIGHEST_PRECEDENCE;
  }
}
