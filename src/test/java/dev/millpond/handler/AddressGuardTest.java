package dev.millpond.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class AddressGuardTest {

  /** A name server whose answers for any name are these, one after the other. */
  static final class Answers implements DnsResolver {

    private final Deque<InetAddress[]> answers = new ArrayDeque<>();

    Answers then(String... addresses) throws UnknownHostException {
      InetAddress[] answer = new InetAddress[addresses.length];
      for (int i = 0; i < answer.length; i++) {
        answer[i] = InetAddress.getByName(addresses[i]);
      }
      answers.add(answer);
      return this;
    }

    @Override
    public InetAddress[] resolve(String host) {
      return answers.remove();
    }

    @Override
    public String resolveCanonicalHostname(String host) {
      return host;
    }
  }

  static HttpProperties settings(Map<String, String> values) {
    return new Binder(new MapConfigurationPropertySource(values))
        .bindOrCreate("millpond.http", HttpProperties.class);
  }

  private static HttpProperties allowing(String entries) {
    return settings(Map.of("millpond.http.allow", entries));
  }

  private static boolean lets(HttpProperties settings, String host, String address)
      throws UnknownHostException {
    try {
      AddressGuard guard = new AddressGuard(settings, new Answers().then(address));
      return guard.resolve(host).length == 1;
    } catch (AddressGuard.Refused refused) {
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "2001::1",
        "2001:db8::1",
        "100::1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b::100.64.0.1",
        "64:ff9b:1::8.8.8.8"
      })
  void whatIsNotPublicIsRefusedByDefault(String address) throws Exception {
    assertThat(lets(settings(Map.of()), "target.example", address)).isFalse();
    assertThat(lets(settings(Map.of()), address, address)).isFalse();
    assertThat(
            lets(
                settings(Map.of("millpond.http.allow-private-addresses", "true")),
                "target.example",
                address))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "8.8.8.8",
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.167.255.255",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888"
      })
  void whatIsPublicMayBeCalled(String address) throws Exception {
    assertThat(lets(settings(Map.of()), "target.example", address)).isTrue();
  }

  @Test
  void aMappedAddressThatKeptItsSixteenBytesIsRefused() throws Exception {
    byte[] bytes = new byte[16];
    bytes[10] = bytes[11] = (byte) 0xff;
    bytes[12] = 127;
    bytes[15] = 1;
    Inet6Address mapped = Inet6Address.getByAddress("target.example", bytes, 0);
    AddressGuard guard =
        new AddressGuard(
            settings(Map.of()),
            new DnsResolver() {
              @Override
              public InetAddress[] resolve(String host) {
                return new InetAddress[] {mapped};
              }

              @Override
              public String resolveCanonicalHostname(String host) {
                return host;
              }
            });

    assertThatThrownBy(() -> guard.resolve("target.example"))
        .isInstanceOf(AddressGuard.Refused.class);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, target.example, 10.1.2.3, true",
    "10.0.0.0/8, target.example, 192.168.0.1, false",
    "10.0.0.0/8, target.example, 8.8.8.8, true",
    "10.1.2.3, target.example, 10.1.2.3, true",
    "10.1.2.3, target.example, 10.1.2.4, false",
    "fd00::/8, target.example, fd00::7, true",
    "fd00::/8, target.example, fc00::7, false",
    "::1, target.example, ::1, true",
    "intranet.example, intranet.example, 10.1.2.3, true",
    "intranet.example, INTRANET.example., 10.1.2.3, true",
    "intranet.example, other.example, 10.1.2.3, false",
    "intranet.example, sub.intranet.example, 10.1.2.3, false",
  })
  void whatTheOperatorAllowsMayBeCalled(
      String allow, String host, String address, boolean mayBeCalled) throws Exception {
    assertThat(lets(allowing(allow), host, address)).isEqualTo(mayBeCalled);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0/33", "10.0.0.0/8/8", "300.1.1.1", "fd00::/129", "10.0.0/x:"})
  void aBlockThatIsNoneStopsTheStart(String entry) {
    assertThatThrownBy(() -> new AddressGuard(allowing(entry), new Answers()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("millpond.http.allow holds \"" + entry + "\"");
  }

  @Test
  void onlyTheAddressesThatMayBeCalledAreGivenToTheClient() throws Exception {
    AddressGuard guard =
        new AddressGuard(settings(Map.of()), new Answers().then("127.0.0.1", "8.8.8.8", "::1"));

    assertThat(guard.resolve("target.example"))
        .isEqualTo(new InetAddress[] {InetAddress.getByName("8.8.8.8")});
  }

  @Test
  void aNameThatResolvesInsideTheSecondTimeIsRefusedTheSecondTime() throws Exception {
    AddressGuard guard =
        new AddressGuard(settings(Map.of()), new Answers().then("8.8.8.8").then("127.0.0.1"));

    assertThat(guard.resolve("rebinding.example")).hasSize(1);
    assertThatThrownBy(() -> guard.resolve("rebinding.example"))
        .isInstanceOf(AddressGuard.Refused.class);
  }

  @Test
  void nothingIsAllowedUnlessSaidSo() {
    HttpProperties defaults = settings(Map.of());

    assertThat(defaults.allowPrivateAddresses()).isFalse();
    assertThat(defaults.allow()).isEqualTo(List.of());
  }
}
