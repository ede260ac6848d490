package dev.millpond.handler;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Pattern;
import java.time.Duration;
import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * What {@code http.request} and callbacks may reach, with how many connections, and how they are
 * signed.
 *
 * @param allow addresses, CIDR blocks and host names that may be called although they are not
 *     public; a host name stands for whatever it resolves to
 * @param allowPrivateAddresses whether every address may be called, public or not
 * @param maxConnections open at once on this node, as many for callbacks as for {@code
 *     http.request}
 * @param maxConnectionsPerHost open at once to one scheme, host and port, so that a slow one does
 *     not take them all; the calls beyond wait, within their timeout
 * @param connectTimeout how long one address of a host is tried before the next, 0.1 s to 2 min
 * @param secrets by which what is sent is signed, each with {@code whsec_} before it; several while
 *     they are changed, none to sign nothing
 */
@Validated
@ConfigurationProperties("millpond.http")
public record HttpProperties(
    @DefaultValue
        List<
                @Pattern(
                    regexp = "[0-9a-fA-F:.]+(/[0-9]{1,3})?|[A-Za-z0-9._-]+",
                    message = "must be an address, a CIDR block or a host name")
                String>
            allow,
    @DefaultValue("false") boolean allowPrivateAddresses,
    @DefaultValue("128") @Min(1) @Max(10_000) int maxConnections,
    @DefaultValue("16") @Min(1) @Max(10_000) int maxConnectionsPerHost,
    @DefaultValue("PT10S") Duration connectTimeout,
    @DefaultValue List<String> secrets) {

  public HttpProperties {
    allow = List.copyOf(allow);
    secrets = List.copyOf(secrets);
  }

  /** Without the secrets. */
  @Override
  public String toString() {
    return "millpond.http";
  }

  @AssertTrue(
      message =
          "millpond.http.max-connections-per-host must be at most millpond.http.max-connections")
  boolean isMaxConnectionsPerHostInRange() {
    return maxConnectionsPerHost <= maxConnections;
  }

  @AssertTrue(message = "millpond.http.connect-timeout must be from PT0.1S to PT2M")
  boolean isConnectTimeoutInRange() {
    return connectTimeout.compareTo(Duration.ofMillis(100)) >= 0
        && connectTimeout.compareTo(Duration.ofMinutes(2)) <= 0;
  }

  // Not a rule of the single secret, which the message would quote.
  @AssertTrue(
      message =
          "millpond.http.secrets must each be whsec_ and the Base64 of 24 to 64 random bytes, as of"
              + " \"openssl rand -base64 32\", at most 10 of them")
  boolean isSecretsReadable() {
    return secrets.size() <= 10 && secrets.stream().allMatch(Signer::isSecret);
  }
}
