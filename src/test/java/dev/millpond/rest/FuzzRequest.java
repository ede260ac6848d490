package dev.millpond.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millpond.testing.ApiClient.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A request byte by byte, since no HTTP client would send most of them.
 *
 * @param target path and query, percent-encoded
 * @param headers whole lines
 * @param body null for none
 */
record FuzzRequest(String method, String target, List<String> headers, @Nullable String body) {

  FuzzRequest header(String line) {
    List<String> more = new ArrayList<>(headers);
    more.add(line);
    return new FuzzRequest(method, target, more, body);
  }

  Answer send(int port) throws IOException {
    List<String> lines = new ArrayList<>(headers);
    if (body != null) {
      lines.add("Content-Length: " + body.getBytes(UTF_8).length);
    }
    String head = lines.stream().map(line -> line + "\r\n").collect(Collectors.joining());
    RawHttp raw = RawHttp.request(port, method + " " + target, head, body == null ? "" : body);
    Map<String, List<String>> answered = new TreeMap<>();
    raw.head()
        .lines()
        .skip(1)
        .map(line -> line.split(": ", 2))
        .forEach(
            line ->
                answered
                    .computeIfAbsent(line[0].toLowerCase(Locale.ROOT), _ -> new ArrayList<>())
                    .add(line.length > 1 ? line[1] : ""));
    String text = answered.containsKey("transfer-encoding") ? joined(raw.body()) : raw.body();
    return new Answer(raw.status(), HttpHeaders.of(answered, (_, _) -> true), text);
  }

  /** A body that was sent in chunks (RFC 9112). */
  private static String joined(String chunks) {
    byte[] bytes = chunks.getBytes(UTF_8);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    int at = 0;
    int size = 1;
    while (size > 0) {
      int line = at;
      while (bytes[line] != '\r') {
        line++;
      }
      size = Integer.parseInt(new String(bytes, at, line - at, UTF_8), 16);
      body.write(bytes, line + 2, size);
      at = line + 2 + size + 2;
    }
    return body.toString(UTF_8);
  }

  /** The command that sends it again; a body goes into a file, as it may be long or strange. */
  String curl(int port) throws IOException {
    StringBuilder command = new StringBuilder("curl -i -g --path-as-is -X " + method);
    headers.forEach(line -> command.append(" -H ").append(shell(line)));
    if (body != null) {
      Path file = Path.of("target", "fuzz", Integer.toHexString(body.hashCode()) + ".body");
      Files.createDirectories(file.getParent());
      Files.writeString(file, body);
      command.append(" --data-binary @").append(file);
    }
    return command + " " + shell("http://127.0.0.1:" + port + target);
  }

  // "Name;" is how curl is told to send an empty header.
  private static String shell(String text) {
    return "'" + text.replaceFirst("^([^:]+): $", "$1;").replace("'", "'\\''") + "'";
  }

  /** A text as a part of a path or a query: only what RFC 3986 leaves unreserved stays as it is. */
  static String encode(String text) {
    StringBuilder encoded = new StringBuilder();
    for (byte b : text.getBytes(UTF_8)) {
      char c = (char) (b & 0xff);
      encoded.append(
          c < 0x80 && (Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0)
              ? String.valueOf(c)
              : "%%%02X".formatted((int) c));
    }
    return encoded.toString();
  }
}
