package dev.millpond.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The settings that exist, ours and the libraries', as their jars list them
 * (META-INF/spring-configuration-metadata.json).
 */
public final class Settings {

  private static final String METADATA = "META-INF/spring-configuration-metadata.json";

  /** By name; the default as text, empty if there is none. */
  private final Map<String, String> defaults;

  private Settings(Map<String, String> defaults) {
    this.defaults = defaults;
  }

  /** Reads what is on the class path. */
  public static Settings onTheClassPath() {
    Map<String, String> defaults = new TreeMap<>();
    JsonMapper json = new JsonMapper();
    Settings.class
        .getClassLoader()
        .resources(METADATA)
        .map(url -> read(json, url))
        .flatMap(metadata -> metadata.path("properties").valueStream())
        .forEach(
            property ->
                defaults.put(
                    property.path("name").asString(), property.path("defaultValue").asString("")));
    return new Settings(defaults);
  }

  private static JsonNode read(JsonMapper json, URL url) {
    try (InputStream in = url.openStream()) {
      return json.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The names that begin so, with their defaults. */
  public Map<String, String> startingWith(String prefix) {
    Map<String, String> found = new TreeMap<>(defaults);
    found.keySet().removeIf(name -> !name.startsWith(prefix));
    return found;
  }

  /** The default of a setting, empty text if it has none. */
  public Optional<String> defaultOf(String name) {
    return Optional.ofNullable(defaults.get(name));
  }

  /** The setting that an environment variable names, by Spring's relaxed binding. */
  public Optional<String> ofEnvironmentVariable(String variable) {
    return defaults.keySet().stream()
        .filter(name -> environmentVariable(name).equals(variable))
        .findFirst();
  }

  private static String environmentVariable(String name) {
    return name.replace("-", "").replace('.', '_').toUpperCase(Locale.ROOT);
  }
}
