package dev.millpond.rest;

import jakarta.validation.constraints.Pattern;
import java.util.Set;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How the API may be reached.
 *
 * @param hosts host names, without a port, by which clients may call the service, besides localhost
 *     and {@code server.address}; an IPv6 address stands in brackets
 */
@Validated
@ConfigurationProperties("millpond.rest")
public record RestSettings(
    @DefaultValue
        Set<
                @Pattern(
                    regexp = "[A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]+]",
                    message = "must be a host name or address without scheme and port")
                String>
            hosts) {}
