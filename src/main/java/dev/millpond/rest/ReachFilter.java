package dev.millpond.rest;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Keeps web pages of others out while no API key is asked for: 421 to a {@code Host} that is not
 * this service's, 403 to an {@code Origin} that is not its own. First of all filters, and for every
 * path.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
final class ReachFilter extends OncePerRequestFilter {

  private static final Logger log = LoggerFactory.getLogger(ReachFilter.class);

  private static final String HEALTH = "/actuator/health";

  private final KnownHosts hosts;

  ReachFilter(RestSettings settings, ServerProperties server, Environment environment) {
    Set<String> names = new HashSet<>(settings.hosts());
    @Nullable InetAddress address = server.getAddress();
    if (address != null) {
      names.add(environment.getProperty("server.address", address.getHostAddress()));
      names.add(address.getHostAddress());
    }
    hosts = new KnownHosts(names);
    if (address == null || !address.isLoopbackAddress()) {
      log.warn(
          "The service listens beyond this machine (server.address={}) and asks nobody for a key:"
              + " whoever reaches the port can submit and run jobs",
          address == null ? "not set" : address.getHostAddress());
    }
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    @Nullable String host = request.getHeader(HttpHeaders.HOST);
    @Nullable String origin = request.getHeader(HttpHeaders.ORIGIN);
    if (!hosts.know(host) && !isProbe(request)) {
      ProblemWriter.write(request, response, misdirected());
    } else if (origin != null && !hosts.isOwn(origin, host)) {
      ProblemWriter.write(request, response, foreign());
    } else {
      chain.doFilter(request, response);
    }
  }

  /**
   * An orchestrator asks for a node's health by its address, which no setting lists. The answer is
   * up or down: a web page that got hold of it had learnt nothing.
   */
  private static boolean isProbe(HttpServletRequest request) {
    // Not the path as it was sent, in which /actuator/health/../.. would lead elsewhere.
    String path = request.getServletPath();
    return path.equals(HEALTH) || path.startsWith(HEALTH + "/");
  }

  private static ProblemDocument misdirected() {
    return ProblemDocument.of(
        Problem.MISDIRECTED_REQUEST,
        "The Host is none of this service's names; millpond.rest.hosts lists more of them.");
  }

  private static ProblemDocument foreign() {
    return ProblemDocument.of(
        Problem.FOREIGN_ORIGIN, "The Origin is not the address that the request was sent to.");
  }
}
