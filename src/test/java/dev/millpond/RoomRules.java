package dev.millpond;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import jakarta.persistence.Entity;
import jakarta.persistence.PersistenceContext;
import jakarta.persistence.Table;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.transaction.annotation.Transactional;

/**
 * The rules of the rooms that a machine can check; CONTRIBUTING.md tells them with their reasons.
 * An exception is named here with its own reason, by class, and not where it is made.
 */
@SuppressWarnings(
    "ImmutableEnumChecker") // A rule of ArchUnit never changes, it only does not say so.
enum RoomRules {
  PACKAGES_ARE_ROOMS(
      classes()
          .should(
              new ArchCondition<>("live in a package of a noun of the product") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                  boolean layer =
                      Arrays.stream(type.getPackageName().split("\\."))
                          .anyMatch(Exceptions.LAYERS::contains);
                  events.add(
                      new SimpleConditionEvent(
                          type, !layer, type.getName() + " is in " + type.getPackageName()));
                }
              })
          .because("a package is a word of the product; a layer or a drawer is none")),

  NAMES_SAY_WHAT_A_CLASS_IS(
      noClasses()
          .should()
          .haveNameMatching(".*(Impl|Dto|DTO|Manager|Helper|Utils?|Processor|Task|Info|Data)")
          .because("such an ending says nothing, or says what another word of ours says better")),

  NO_FIELD_INJECTION(
      noFields()
          .should()
          .beAnnotatedWith(Autowired.class)
          .orShould()
          .beAnnotatedWith(Value.class)
          .orShould()
          .beAnnotatedWith(PersistenceContext.class)
          .because("a constructor shows what a class needs, and a test can call it")),

  NO_LEGACY_TIME(
      noClasses()
          .should()
          .dependOnClassesThat(
              are(
                  describe(
                      "the time classes before java.time",
                      type -> Exceptions.LEGACY_TIME.contains(type.getName()))))
          .because("java.time says what a time is")),

  TIME_COMES_FROM_THE_CLOCK(
      noClasses()
          .should()
          .callMethodWhere(
              describe(
                  "asks the system for the time of day",
                  call ->
                      isCall(call, "java.lang.System", "currentTimeMillis")
                          || (call.getTargetOwner().getPackageName().equals("java.time")
                              && call.getName().equals("now")
                              && call.getTarget().getRawParameterTypes().isEmpty())))
          .because("a test can move the Clock, and the database's clock judges between nodes")),

  NO_SLEEP(
      noClasses()
          .that(not(named(Exceptions.SLEEPERS)))
          .should()
          .callMethodWhere(describe("sleeps", call -> isCall(call, "java.lang.Thread", "sleep")))
          .because("waiting is done by Spring's scheduler or for a signal")),

  SQL_HAS_ITS_PLACE(
      noClasses()
          .that(not(named(Exceptions.SQL_ELSEWHERE)))
          .and()
          .haveSimpleNameNotEndingWith("Sql")
          .and(not(nestedInSql()))
          .and()
          .resideOutsideOfPackage("dev.millpond.postgres")
          .should()
          .dependOnClassesThat(
              are(
                  describe(
                      "what talks SQL",
                      type ->
                          (type.getPackageName().startsWith("java.sql")
                                  && !type.isAssignableTo(Throwable.class))
                              || type.getPackageName()
                                  .startsWith("org.springframework.jdbc.core"))))
          .because("the statements of a room stand together in its Sql class")),

  NO_ENTITY_OF_A_JOB_TABLE(
      noClasses()
          .that()
          .areAnnotatedWith(Entity.class)
          .should(
              new ArchCondition<>("map a table of the jobs") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                  String table =
                      type.tryGetAnnotationOfType(Table.class)
                          .map(Table::name)
                          .filter(name -> !name.isEmpty())
                          .orElse(type.getSimpleName());
                  events.add(
                      new SimpleConditionEvent(
                          type,
                          Exceptions.JOB_TABLES.contains(table.toLowerCase(Locale.ROOT)),
                          type.getName() + " maps " + table));
                }
              })
          .because("a persistence context and SKIP LOCKED do not mix")
          .allowEmptyShould(true)),

  NO_DECLARED_TRANSACTIONS(
      noMethods()
          .that()
          .areDeclaredInClassesThat(are(not(named(Exceptions.DECLARED_TRANSACTIONS))))
          .should()
          .beAnnotatedWith(Transactional.class)
          .orShould()
          .beDeclaredInClassesThat()
          .areAnnotatedWith(Transactional.class)
          .because(
              "where a transaction must be, its begin and end are seen (TransactionTemplate)")),

  NO_PRINTING(
      noClasses()
          .should()
          .accessFieldWhere(
              describe(
                  "prints",
                  access ->
                      access.getTargetOwner().getName().equals("java.lang.System")
                          && !access.getName().equals("in")))
          .orShould()
          .callMethodWhere(
              describe("prints a stack trace", call -> call.getName().equals("printStackTrace")))
          .because("the log has levels, a format and the job's id")),

  PACKAGES_ARE_NULL_MARKED(
      classes()
          .should(
              new ArchCondition<>("live in a package that is @NullMarked") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                  events.add(
                      new SimpleConditionEvent(
                          type,
                          type.getPackage().isAnnotatedWith(NullMarked.class),
                          type.getPackageName() + " is not @NullMarked"));
                }
              })
          .because("NullAway looks only there"));

  private final ArchRule rule;

  RoomRules(ArchRule rule) {
    this.rule = rule;
  }

  ArchRule rule() {
    return rule;
  }

  private static DescribedPredicate<JavaClass> named(Map<String, String> exceptions) {
    return describe(
        "named as exceptions",
        type ->
            exceptions.keySet().stream()
                .anyMatch(
                    name -> type.getName().equals(name) || type.getName().startsWith(name + "$")));
  }

  /** Row mappers and the like inside a Sql class. */
  private static DescribedPredicate<JavaClass> nestedInSql() {
    return describe("inside a Sql class", type -> type.getName().contains("Sql$"));
  }

  private static boolean isCall(JavaCall<?> call, String owner, String name) {
    return ((JavaAccess<?>) call).getTargetOwner().getName().equals(owner)
        && call.getName().equals(name);
  }

  /** Apart, because an enum's constants cannot see its own static fields. */
  static final class Exceptions {

    static final Set<String> LAYERS =
        Set.of(
            "common",
            "config",
            "configuration",
            "controller",
            "core",
            "dto",
            "entity",
            "exception",
            "exceptions",
            "helper",
            "impl",
            "mapper",
            "model",
            "repository",
            "service",
            "shared",
            "util",
            "utils");

    static final Set<String> LEGACY_TIME =
        Set.of(
            "java.util.Date",
            "java.util.Calendar",
            "java.util.GregorianCalendar",
            "java.util.TimeZone",
            "java.text.DateFormat",
            "java.text.SimpleDateFormat",
            "java.sql.Date",
            "java.sql.Time",
            "java.sql.Timestamp");

    static final Set<String> JOB_TABLES =
        Set.of("job", "ready", "delayed", "lease", "finished", "attempt", "job_log");

    static final Map<String, String> SLEEPERS =
        Map.of(
            "dev.millpond.handler.DemoSleep", "sleeping is what it is for",
            "dev.millpond.postgres.Wait", "other processes give no signal",
            "dev.millpond.worker.Notices", "a thread of its own, between two connections");

    static final Map<String, String> SQL_ELSEWHERE =
        Map.of(
            "dev.millpond.job.DatabaseClock", "asks one thing: the time",
            "dev.millpond.lease.LeasePool", "makes the JdbcClient of the second pool",
            "dev.millpond.worker.Notices", "LISTEN is a connection's state, not a statement");

    static final Map<String, String> DECLARED_TRANSACTIONS =
        Map.of(
            "dev.millpond.queue.QueueRepository",
            "an interface has no code that could show the transaction");

    /** All, to see that none outlives its class. */
    static List<String> classes() {
      return Stream.of(SLEEPERS, SQL_ELSEWHERE, DECLARED_TRANSACTIONS)
          .flatMap(exceptions -> exceptions.keySet().stream())
          .toList();
    }

    private Exceptions() {}
  }
}
