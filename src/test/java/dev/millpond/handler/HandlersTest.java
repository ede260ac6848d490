package dev.millpond.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jakarta.validation.Valid;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.Positive;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HandlersTest {

  /** What a user of Millpond writes: a record with Bean Validation, and a handler of it. */
  record Resize(
      @NotBlank String image,
      @Max(4096) int width,
      @Nullable Fit fit,
      @Nullable Duration within,
      @DecimalMin("0.1") @Nullable Double quality,
      @Nullable Boolean sharpen,
      List<@Valid Crop> crops,
      Map<String, @NotBlank String> labels) {

    Resize {
      crops = crops == null ? List.of() : crops;
      labels = labels == null ? Map.of() : labels;
      if (quality != null && quality > 1) {
        throw new IllegalArgumentException("quality must be at most 1");
      }
    }
  }

  record Crop(@Positive int x) {}

  enum Fit {
    COVER,
    SHRINK_ONLY
  }

  private static final class ResizeHandler implements JobHandler<Resize> {

    private final String type;

    ResizeHandler(String type) {
      this.type = type;
    }

    @Override
    public String type() {
      return type;
    }

    @Override
    public Class<Resize> payloadType() {
      return Resize.class;
    }

    @Override
    public Object handle(Resize payload, JobContext context) {
      return payload.width();
    }
  }

  private final Handlers handlers =
      new Handlers(List.of(new ResizeHandler("resize"), new DemoNoop(), new DemoSleep()));

  private List<PayloadViolation> check(String payload) {
    return handlers.check("resize", payload.replace('\'', '"'));
  }

  @Test
  void handlersAreFoundByType() {
    assertThat(handlers.types()).containsExactly("demo.noop", "demo.sleep", "resize");
    assertThat(handlers.find("resize")).isPresent();
    assertThat(handlers.find("other")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Resize", ".resize", "re size", "resize\n"})
  void anIllegalTypeStopsTheStart(String type) {
    assertThatThrownBy(() -> new Handlers(List.of(new ResizeHandler(type))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("\"" + type + "\"")
        .hasMessageContaining("[a-z0-9]");
  }

  @Test
  void twoHandlersOfOneTypeStopTheStart() {
    assertThatThrownBy(
            () -> new Handlers(List.of(new ResizeHandler("resize"), new ResizeHandler("resize"))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Two handlers serve the job type \"resize\"");
  }

  @Test
  void aGoodPayloadIsReadWithItsDefaults() throws Exception {
    String payload =
        "{\"image\":\"a.png\",\"width\":640,\"fit\":\"shrink_only\",\"within\":\"PT5S\",\"quality\":1}";

    assertThat(handlers.check("resize", payload)).isEmpty();
    assertThat(handlers.read("resize", payload))
        .isEqualTo(
            new Resize(
                "a.png",
                640,
                Fit.SHRINK_ONLY,
                Duration.ofSeconds(5),
                1.0,
                null,
                List.of(),
                Map.of()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {'image':'a','width':1,'widht':2}                  | /widht     | is unknown: did you mean "width"?
          {'image':'a','width':1,'colour':2}                 | /colour    | is unknown: known are crops, fit, image, labels, quality, sharpen, width, within
          {'image':'a','width':1,'crops':[{'x':1,'y':2}]}    | /crops/0/y | is unknown: known are x
          {'image':'a'}                                      | /width     | is required
          {'image':'a','width':null}                         | /width     | is required
          {'width':1}                                        | /image     | must not be blank
          {'image':'a','width':5000}                         | /width     | must be less than or equal to 4096
          {'image':'a','width':1,'crops':[{'x':1},{'x':0}]}  | /crops/1/x | must be greater than 0
          {'image':'a','width':1,'labels':{'a/b':' '}}       | /labels/a~1b | must not be blank
          {'image':'a','width':'1'}                          | /width     | must be an integer
          {'image':'a','width':''}                           | /width     | must be an integer
          {'image':'a','width':1.5}                          | /width     | must be an integer
          {'image':'a','width':true}                         | /width     | must be an integer
          {'image':'a','width':{}}                           | /width     | must be an integer
          {'image':'a','width':99999999999}                  | /width     | must be an integer that is not beyond its bounds
          {'image':1,'width':1}                              | /image     | must be a string
          {'image':1.5,'width':1}                            | /image     | must be a string
          {'image':true,'width':1}                           | /image     | must be a string
          {'image':['a'],'width':1}                          | /image     | must be a string
          {'image':'a','width':1,'quality':'0.5'}            | /quality   | must be a number
          {'image':'a','width':1,'quality':2}                | ''         | quality must be at most 1
          {'image':'a','width':1,'quality':0}                | /quality   | must be greater than or equal to 0.1
          {'image':'a','width':1,'sharpen':1}                | /sharpen   | must be true or false
          {'image':'a','width':1,'sharpen':'true'}           | /sharpen   | must be true or false
          {'image':'a','width':1,'fit':'COVER'}              | /fit       | must be one of "cover", "shrink_only"
          {'image':'a','width':1,'fit':0}                    | /fit       | must be one of "cover", "shrink_only"
          {'image':'a','width':1,'within':5}                 | /within    | must be an ISO 8601 duration such as "PT30S"
          {'image':'a','width':1,'within':'5s'}              | /within    | must be an ISO 8601 duration such as "PT30S"
          {'image':'a','width':1,'crops':{}}                 | /crops     | must be an array
          {'image':'a','width':1,'crops':''}                 | /crops     | must be an array
          {'image':'a','width':1,'labels':[]}                | /labels    | must be an object
          {'image':'a','width':1,'width':2}                  | /width     | stands here twice
          {'image':'a','width':1,'crops':[{'x':1,'x':1}]}    | /crops/0/x | stands here twice
          {'image':'a','width':1,'labels':{'k':'a','k':'b'}} | /labels/k  | stands here twice
          {'image':'a','width':1} {}                         | ''         | must be an object
          {'image':'a','width':                              | ''         | is not JSON
          [1]                                                | ''         | must be an object
          'text'                                             | ''         | must be an object
          """,
      quoteCharacter = '`')
  void whatTheHandlerCouldNotReadIsToldByPlace(String payload, String pointer, String detail) {
    assertThat(check(payload))
        .containsExactly(new PayloadViolation(pointer.replace("''", ""), detail));
  }

  @Test
  void allUnknownFieldsAndAllBrokenConstraintsAreTold() {
    assertThat(check("{'image':'a','width':1,'b':[{'c':1}],'a':1,'crops':[{'x':1,'z':1}]}"))
        .extracting(PayloadViolation::pointer)
        .containsExactly("/a", "/b", "/crops/0/z");
    assertThat(check("{'image':'','width':5000}"))
        .extracting(PayloadViolation::pointer)
        .containsExactly("/image", "/width");
  }

  @Test
  void anAbsentPayloadIsAnEmptyObjectForARecord() throws Exception {
    for (String absent : new String[] {null, "null", " null "}) {
      assertThat(handlers.check("resize", absent))
          .containsExactly(new PayloadViolation("/width", "is required"));
    }
    assertThat(handlers.read("demo.noop", null).toString()).isEqualTo("null");
  }

  @Test
  void nothingIsSaidOfATypeWithoutAHandler() {
    assertThat(handlers.check("other", "{")).isEmpty();
    assertThatThrownBy(() -> handlers.read("other", "{}"))
        .isInstanceOfSatisfying(
            PermanentFailure.class,
            failure -> assertThat(failure.type()).isEqualTo("unknown-type"));
  }

  @Test
  void aStoredPayloadThatIsNotReadableAnyMoreFailsForGood() {
    assertThatThrownBy(() -> handlers.read("resize", "{\"image\":\"a\",\"width\":5000}"))
        .isInstanceOfSatisfying(
            PermanentFailure.class,
            failure -> assertThat(failure.type()).isEqualTo("payload-unreadable"))
        .hasMessageContaining("/width must be less than or equal to 4096");
  }

  @Test
  void deepNestingIsRefusedAndNotFollowed() {
    assertThat(handlers.check("demo.noop", "[".repeat(100_000)))
        .extracting(PayloadViolation::detail)
        .containsExactly("is nested too deeply, or a value is too long");
  }

  @Test
  void resultsAreWrittenAsJson() throws Exception {
    assertThat(Handlers.write(null)).isNull();
    assertThat(Handlers.write(12)).isEqualTo("12");
    assertThat(Handlers.write(Map.of("fit", Fit.SHRINK_ONLY, "took", Duration.ofSeconds(2))))
        .contains("\"fit\":\"shrink_only\"", "\"took\":\"PT2S\"");
  }

  @Test
  void resultsAreBounded() throws Exception {
    String largest = "ü".repeat(128 * 1024 - 1);

    assertThat(Handlers.write(largest)).hasSize(largest.length() + 2);
    assertThatThrownBy(() -> Handlers.write(largest + "x"))
        .isInstanceOfSatisfying(
            PermanentFailure.class,
            failure -> assertThat(failure.type()).isEqualTo("result-too-large"));
  }

  @Test
  void aResultWithoutAJsonFormFailsForGood() {
    Object[] itself = new Object[1];
    itself[0] = itself;

    assertThatThrownBy(() -> Handlers.write(itself))
        .isInstanceOfSatisfying(
            PermanentFailure.class,
            failure -> assertThat(failure.type()).isEqualTo("result-unwritable"));
  }
}
