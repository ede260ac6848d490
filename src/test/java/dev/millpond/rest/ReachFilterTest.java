package dev.millpond.rest;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.ServletException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.mock.env.MockEnvironment;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

@ExtendWith(OutputCaptureExtension.class)
class ReachFilterTest {

  @Test
  void loopbackIsNothingToWarnOf(CapturedOutput output) throws Exception {
    filter("127.0.0.1");
    assertThat(output).doesNotContain("listens beyond");
  }

  @Test
  void anyOtherAddressIsWarnedOf(CapturedOutput output) throws Exception {
    filter("0.0.0.0");
    assertThat(output).contains("listens beyond this machine (server.address=0.0.0.0)");
    filter(null);
    assertThat(output).contains("(server.address=not set)");
  }

  @Test
  void theAddressThatItListensOnIsOneOfItsNames() throws Exception {
    assertThat(statusFor(filter("192.0.2.7"), "192.0.2.7:8080")).isEqualTo(200);
    assertThat(statusFor(filter("192.0.2.7"), "192.0.2.8:8080")).isEqualTo(421);
    assertThat(statusFor(filter("2001:db8::7"), "[2001:db8::7]:8080")).isEqualTo(200);
    assertThat(statusFor(filter("192.0.2.7"), null)).isEqualTo(421);
  }

  private static ReachFilter filter(@Nullable String address) throws UnknownHostException {
    ServerProperties server = new ServerProperties();
    MockEnvironment environment = new MockEnvironment();
    if (address != null) {
      server.setAddress(InetAddress.getByName(address));
      environment.setProperty("server.address", address);
    }
    return new ReachFilter(new RestSettings(Set.of()), server, environment);
  }

  private static int statusFor(ReachFilter filter, @Nullable String host)
      throws ServletException, IOException {
    MockHttpServletRequest request = new MockHttpServletRequest("GET", "/v1/jobs");
    if (host != null) {
      request.addHeader("Host", host);
    }
    MockHttpServletResponse response = new MockHttpServletResponse();
    filter.doFilter(request, response, new MockFilterChain());
    return response.getStatus();
  }
}
