package dev.millpond.handler;

import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/** Calls as a job makes them, to targets on the loopback interface. */
final class HttpCalls {

  private HttpCalls() {}

  static HttpRequestHandler handler(Map<String, String> settings, DnsResolver names) {
    Map<String, String> values = new HashMap<>(settings);
    values.putIfAbsent("millpond.http.allow", "127.0.0.0/8");
    HttpProperties properties = AddressGuardTest.settings(values);
    return new HttpRequestHandler(
        properties,
        new HttpCaller(properties, new AddressGuard(properties, names)),
        Clock.systemUTC());
  }

  /** One that may call public addresses only. */
  static HttpRequestHandler strictHandler() {
    HttpProperties properties = AddressGuardTest.settings(Map.of());
    return new HttpRequestHandler(properties, HttpCaller.of(properties), Clock.systemUTC());
  }

  static HttpRequestHandler handler() {
    return handler(Map.of(), SystemDefaultDnsResolver.INSTANCE);
  }

  static HttpResult call(HttpRequestHandler handler, String url, Duration timeout)
      throws Exception {
    return handler.handle(
        new HttpRequest("POST", url, Map.of(), null, timeout, "2xx"), new RecordedContext(1));
  }
}
