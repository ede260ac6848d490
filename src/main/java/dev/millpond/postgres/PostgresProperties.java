package dev.millpond.postgres;

import jakarta.validation.constraints.NotBlank;
import java.nio.file.Path;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Where the embedded server keeps everything it owns.
 *
 * @param dataDir a directory, made if it is missing. A string, because Spring's conversion to a
 *     path would first look for a class path resource of that name.
 */
@Validated
@ConfigurationProperties("millpond")
record PostgresProperties(@NotBlank @DefaultValue("./data") String dataDir) {

  Path directory() {
    return Path.of(dataDir);
  }
}
