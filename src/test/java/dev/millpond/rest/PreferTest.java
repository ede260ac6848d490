package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PreferTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "wait=10 | 10",
        "WAIT = 10 | 10",
        "wait=\"10\" | 10",
        "respond-async, wait=10 | 10",
        "wait=10; x=y, respond-async | 10",
        "foo=\"a, wait=5\", wait=10 | 10",
        "wait=5, wait=10 | 5",
        "wait=0 | 0",
        "wait=60 | 60",
        "wait=61 | 60",
        "wait=999999999 | 60"
      })
  void secondsUpToAMinute(String header, long seconds) {
    assertThat(Prefer.parse(header)).contains(new Prefer(Duration.ofSeconds(seconds)));
  }

  @Test
  void aHeaderAsLongAsCanBeIsRead() {
    String quoted = "foo=\"" + "x".repeat(16_000) + "\", wait=5";
    assertThat(Prefer.parse(quoted)).contains(new Prefer(Duration.ofSeconds(5)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "wait",
        "wait=",
        "wait=-1",
        "wait=1.5",
        "wait=ten",
        "wait=10000000000",
        "await=10",
        "foo=\"wait=5\"",
        "foo=\"a, wait=5",
        "respond-async"
      })
  void whatIsNoNumberOfSecondsIsIgnored(String header) {
    assertThat(Prefer.parse(header)).isEmpty();
  }
}
