package dev.millpond.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

@ExtendWith(OutputCaptureExtension.class)
class DatabaseCheckTest {

  @Test
  void aServerThatIsTooOldIsRefused() {
    assertThatThrownBy(() -> new DatabaseCheck(140_022, List.of()).judge("db"))
        .isInstanceOf(StartFailure.class)
        .hasMessageContaining("db is PostgreSQL 14; Millpond needs 15");
    assertThatCode(() -> new DatabaseCheck(150_000, List.of()).judge("db"))
        .doesNotThrowAnyException();
  }

  @Test
  void settingsThatCanLoseJobsAreWarnedAbout(CapturedOutput output) {
    new DatabaseCheck(180_004, List.of("fsync", "synchronous_commit")).judge("db");

    assertThat(output)
        .contains("fsync is off on the database at db")
        .contains("synchronous_commit is off on the database at db");
  }

  @Test
  void aServerThatIsNotThereIsNamedWithoutThePassword() {
    String url = "jdbc:postgresql://127.0.0.1:1/jobs";
    var dataSource = new DriverManagerDataSource(url + "?user=me&password=secret");

    assertThatThrownBy(() -> DatabaseCheck.run(dataSource, url + "?user=me&password=secret"))
        .isInstanceOf(StartFailure.class)
        .hasMessageContaining(url + " cannot be used: Connection to 127.0.0.1:1 refused")
        .hasMessageContaining("spring.datasource.url")
        .hasMessageNotContaining("secret");
  }

  @Test
  void secretsOfAnAddressAreNotShown() {
    assertThat(DatabaseCheck.withoutSecrets("jdbc:postgresql://me:p@ss@db:5432/jobs?password=x"))
        .isEqualTo("jdbc:postgresql://db:5432/jobs");
    assertThat(DatabaseCheck.withoutSecrets("jdbc:postgresql://a,b/jobs"))
        .isEqualTo("jdbc:postgresql://a,b/jobs");
  }
}
