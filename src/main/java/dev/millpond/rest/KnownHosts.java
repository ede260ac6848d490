package dev.millpond.rest;

import static java.util.Objects.requireNonNullElse;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * By which names the service may be called. A web page can send requests to any address, and can
 * have its own name resolve to this one (DNS rebinding); the browser then says so in {@code Host}
 * or {@code Origin}.
 */
final class KnownHosts {

  private static final Pattern AUTHORITY =
      Pattern.compile("(?<host>[a-z0-9._-]+|\\[[0-9a-f:.]+])(:(?<port>[0-9]{1,5}))?");

  private final Set<String> names;

  /** Besides localhost in its three spellings, the names and addresses given. */
  KnownHosts(Collection<String> others) {
    names =
        Stream.concat(Stream.of("localhost", "127.0.0.1", "[::1]"), others.stream())
            .map(KnownHosts::spelling)
            .collect(Collectors.toUnmodifiableSet());
  }

  private static String spelling(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.contains(":") && !lower.startsWith("[") ? "[" + lower + "]" : lower;
  }

  /** Whether a {@code Host} header names this service; the port does not matter. */
  boolean know(@Nullable String host) {
    return authority(host).filter(known -> names.contains(known.group("host"))).isPresent();
  }

  /**
   * Whether an {@code Origin} header is that of this service's own pages: the host and the port
   * that the request itself was sent to.
   */
  boolean isOwn(String origin, @Nullable String host) {
    int colon = origin.indexOf("://");
    if (colon < 0) {
      return false;
    }
    String usualPort = origin.substring(0, colon).equalsIgnoreCase("https") ? "443" : "80";
    Optional<String> place = place(origin.substring(colon + 3), usualPort);
    return place.isPresent() && place.equals(place(host, usualPort)) && know(host);
  }

  private static Optional<String> place(@Nullable String authority, String usualPort) {
    return authority(authority)
        .map(
            parts ->
                parts.group("host") + ":" + requireNonNullElse(parts.group("port"), usualPort));
  }

  private static Optional<Matcher> authority(@Nullable String text) {
    if (text == null) {
      return Optional.empty();
    }
    Matcher parts = AUTHORITY.matcher(text.toLowerCase(Locale.ROOT));
    return parts.matches() ? Optional.of(parts) : Optional.empty();
  }
}
