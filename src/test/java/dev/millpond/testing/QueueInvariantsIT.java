package dev.millpond.testing;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/**
 * On tables of the same names without the constraints of the real ones, which would not let most of
 * these rows in.
 */
class QueueInvariantsIT {

  private static final String JOB = "'0193aaaa-0000-7000-8000-000000000001'";

  private final DriverManagerDataSource database = database();
  private final JdbcTemplate jdbc = new JdbcTemplate(database);

  private static DriverManagerDataSource database() {
    Database.Details details = Database.fresh();
    return new DriverManagerDataSource(
        details.getJdbcUrl(), details.getUsername(), details.getPassword());
  }

  @BeforeEach
  void createTables() {
    jdbc.execute(
        """
        create table job (id uuid, labels jsonb, queue text, concurrency_key text, concurrency_limit int);
        create table room (queue text, waiting int, runnable int);
        create table ready (id uuid, recoveries int, queue text);
        create table delayed (id uuid, queue text, missing int, key text, priority int, rank int);
        create table lease (id uuid, token uuid, expires_at timestamptz, attempt int,
                            recoveries int, max_attempts int);
        create table finished (id uuid, state text, attempt int, recoveries int, max_attempts int, version int);
        create table key_slot (id uuid, queue text, key text);
        create view key_slot_status as select *, true as taken from key_slot;
        create table key_note (queue text, key text);
          create table awaited (predecessor uuid, id uuid);
          create table dependency_due (id uuid);
        create table callback (id uuid);
        create table callback_due (id uuid, version int);
        create table callback_attempt (id uuid, version int);
        create table unique_key (job uuid, key text, until text);
        """);
  }

  @Test
  void jobsInTheirPlacesPass() {
    jdbc.execute("insert into job values (" + JOB + ")");
    jdbc.execute("insert into finished values (" + JOB + ", 'failed', 7, 2, 5)");
    assertThatCode(() -> QueueInvariants.check(database)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          insert into job values (ID)                                    | is in none
          insert into ready values (ID, 0)                               | in ready
          insert into job values (ID); insert into ready values (ID, 0); \
          insert into delayed values (ID)                                | is in ready and delayed
          insert into lease values (ID, null, now(), 1, 0, 5)            | a token and an expiry
          insert into lease values (ID, gen_random_uuid(), null, 1, 0, 5) | a token and an expiry
          insert into finished values (ID, 'failed', 1, 0, 5); \
          insert into lease values (ID, gen_random_uuid(), now(), 1, 0, 5) | a final job has no lease
          insert into finished values (ID, 'running', 1, 0, 5)           | is running
          insert into finished values (ID, 'failed', 6, 0, 5)            | had 6
          insert into ready values (ID, 4)                               | at most three recoveries
          insert into room values ('mine', 1, 0)                         | mine has 1 waiting
          insert into finished values (ID, 'failed', 1, 0, 5, 3); \
          insert into callback values (ID)                               | is to be told is due
          insert into delayed values (ID, 'mine', 1)                     | is missing 1
          insert into delayed values (ID, 'mine', 0)                     | is missing 0
          insert into awaited values (ID, ID)                            | is awaited by
          insert into callback_due values (ID, 3)                        | the end of a finished job
          insert into unique_key values (ID, 'mine', 'started')          | mine until started
          insert into unique_key values (ID, 'mine', 'finished')         | mine until finished
          insert into job select ID, '{"schedule": "s", "dueAt": "t"}' from generate_series(1, 2) | s at t has 2
          insert into job values (ID, null, 'q', 'k', 1); insert into ready values (ID, 0); \
          insert into lease values (ID, gen_random_uuid(), now(), 1, 0, 5) | q k has 2
          insert into job values (ID, null, 'q', 'k', 1); insert into ready values (ID, 0) | has none
          insert into job values (ID, null, 'q', 'k', 1); \
          insert into delayed values (ID, 'q', null, 'k', 4, 1) | q k waits for nobody
          """)
  void aBrokenRuleIsNamed(String rows, String complaint) {
    jdbc.execute(rows.replace("ID", JOB + "::uuid"));
    assertThatThrownBy(() -> QueueInvariants.check(database))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(complaint);
  }

  @Test
  void aDatabaseWithoutTheSchemaIsNotLetPass() {
    jdbc.execute("drop table delayed");
    assertThatThrownBy(() -> QueueInvariants.check(database))
        .isInstanceOf(DataAccessException.class);
  }
}
