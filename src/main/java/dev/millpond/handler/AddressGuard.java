package dev.millpond.handler;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.DnsResolver;
import org.springframework.boot.http.client.InetAddressFilter;

/**
 * Resolves the hosts that jobs may call, and none that are inside: the HTTP client connects to just
 * the addresses that this gives it, so that a name which resolves otherwise a moment later (DNS
 * rebinding) gains nothing.
 *
 * <p>Boot's filter refuses loopback, private, link-local, CGNAT, multicast, unspecified, unique
 * local, 6to4 and Teredo addresses and the special ones of RFC 6890. Added here: the IPv6 forms in
 * which an IPv4 address is written (compatible, mapped, translated), the local-use NAT64 prefix of
 * RFC 8215, and the judgement of a well-known NAT64 address by the IPv4 address in it, since in an
 * IPv6-only network all of IPv4 is reached that way.
 */
final class AddressGuard implements DnsResolver {

  /** The host has no address that may be called. */
  static final class Refused extends UnknownHostException {

    private static final long serialVersionUID = 1L;

    Refused(String host) {
      super(host);
    }
  }

  private static final InetAddressFilter PUBLIC =
      InetAddressFilter.externalAddresses().andNot("::/64", "64:ff9b:1::/48");
  private static final InetAddressFilter NAT64 = InetAddressFilter.of("64:ff9b::/96");
  private static final Pattern ADDRESS = Pattern.compile("[0-9./]+|.*:.*");

  private final DnsResolver names;
  private final InetAddressFilter allowed;
  private final Set<String> allowedHosts = new HashSet<>();

  /**
   * @param names what resolves names
   * @throws IllegalArgumentException if an address or block in the settings is not one
   */
  AddressGuard(HttpProperties settings, DnsResolver names) {
    this.names = names;
    InetAddressFilter addresses =
        settings.allowPrivateAddresses() ? InetAddressFilter.all() : AddressGuard::isPublic;
    for (String entry : settings.allow()) {
      if (ADDRESS.matcher(entry).matches()) {
        addresses = addresses.or(block(entry));
      } else {
        allowedHosts.add(canonical(entry));
      }
    }
    this.allowed = addresses;
  }

  private static InetAddressFilter block(String entry) {
    try {
      return InetAddressFilter.of(entry);
    } catch (RuntimeException illegal) {
      throw new IllegalArgumentException(
          "millpond.http.allow holds \"%s\": must be an address, a CIDR block or a host name"
              .formatted(entry),
          illegal);
    }
  }

  private static boolean isPublic(InetAddress address) {
    if (!NAT64.matches(address)) {
      return PUBLIC.matches(address);
    }
    byte[] bytes = address.getAddress();
    try {
      return PUBLIC.matches(InetAddress.getByAddress(Arrays.copyOfRange(bytes, 12, 16)));
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    InetAddress[] addresses = names.resolve(host);
    if (allowedHosts.contains(canonical(host))) {
      return addresses;
    }
    List<InetAddress> callable = Arrays.stream(addresses).filter(allowed::matches).toList();
    if (callable.isEmpty()) {
      throw new Refused(host);
    }
    return callable.toArray(InetAddress[]::new);
  }

  /** Asked for by nobody here: reverse names are an attacker's to choose. */
  @Override
  public String resolveCanonicalHostname(String host) {
    return host;
  }

  private static String canonical(String host) {
    String lower = host.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }
}
