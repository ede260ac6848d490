package dev.millpond.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Lines over a common axis, as an SVG for light and dark pages. */
final class Chart {

  private static final int WIDTH = 640;
  private static final int HEIGHT = 280;
  private static final int LEFT = 60;
  private static final int RIGHT = 20;
  private static final int TOP = 56;
  private static final int BOTTOM = 44;

  private static final String STYLE =
      """
      text{font:12px system-ui,sans-serif;fill:#333}.t{font-size:14px;font-weight:600}.g{stroke:#ddd}
      .l{fill:none;stroke-width:2}.s0{stroke:#0969da}.s1{stroke:#bc4c00}.s2{stroke:#1a7f37}.s3{stroke:#8250df}
      .r{fill:#fff}
      @media (prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}.r{fill:#0d1117}
      .s0{stroke:#58a6ff}.s1{stroke:#f0883e}.s2{stroke:#3fb950}.s3{stroke:#bc8cff}}\
      """;

  private record Line(String name, List<double[]> points) {}

  private final String title;
  private final String x;
  private final List<Line> lines = new ArrayList<>();

  Chart(String title, String x) {
    this.title = title;
    this.x = x;
  }

  Chart line(String name, List<double[]> points) {
    lines.add(new Line(name, points));
    return this;
  }

  void write(Path file) throws IOException {
    double least =
        lines.stream().flatMap(l -> l.points.stream()).mapToDouble(p -> p[0]).min().orElse(0);
    double most =
        lines.stream().flatMap(l -> l.points.stream()).mapToDouble(p -> p[0]).max().orElse(1);
    double highest =
        lines.stream().flatMap(l -> l.points.stream()).mapToDouble(p -> p[1]).max().orElse(1);
    double stepX = step(most - least);
    double stepY = step(highest);
    double top = stepY * Math.max(1, Math.ceil(highest / stepY));
    double scaleX = (WIDTH - LEFT - RIGHT) / Math.max(1e-9, most - least);
    double scaleY = (HEIGHT - TOP - BOTTOM) / top;
    Formatter svg = new Formatter(Locale.ROOT);
    svg.format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">%n",
        WIDTH, HEIGHT);
    svg.format("<title>%s</title><style>%s</style>%n", title, STYLE);
    svg.format("<rect class=\"r\" width=\"%d\" height=\"%d\"/>%n", WIDTH, HEIGHT);
    svg.format("<text class=\"t\" x=\"%d\" y=\"20\">%s</text>%n", LEFT, title);
    for (double value = 0; value <= top + stepY / 2; value += stepY) {
      double y = HEIGHT - BOTTOM - value * scaleY;
      svg.format(
          "<line class=\"g\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>%n",
          LEFT, WIDTH - RIGHT, y, y);
      svg.format(
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n",
          LEFT - 6, y + 4, number(value));
    }
    for (double value = Math.ceil(least / stepX) * stepX; value <= most; value += stepX) {
      svg.format(
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
          LEFT + (value - least) * scaleX, HEIGHT - BOTTOM + 16, number(value));
    }
    svg.format(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n", WIDTH - RIGHT, HEIGHT - 10, x);
    int legend = LEFT;
    for (int n = 0; n < lines.size(); n++) {
      Line line = lines.get(n);
      String points =
          line.points.stream()
              .map(
                  p ->
                      String.format(
                          Locale.ROOT,
                          "%.1f,%.1f",
                          LEFT + (p[0] - least) * scaleX,
                          HEIGHT - BOTTOM - p[1] * scaleY))
              .collect(Collectors.joining(" "));
      svg.format("<polyline class=\"l s%d\" points=\"%s\"/>%n", n, points);
      svg.format(
          "<line class=\"l s%d\" x1=\"%d\" x2=\"%d\" y1=\"38\" y2=\"38\"/>%n",
          n, legend, legend + 14);
      svg.format("<text x=\"%d\" y=\"42\">%s</text>%n", legend + 18, line.name);
      legend += 34 + 7 * line.name.length();
    }
    svg.format("</svg>%n");
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(file, svg.toString());
  }

  /** A round step that makes four to ten of a range. */
  private static double step(double range) {
    double power = Math.pow(10, Math.floor(Math.log10(Math.max(1e-9, range) / 4)));
    double times = range / 4 / power;
    return power * (times < 2 ? 1 : times < 5 ? 2 : 5);
  }

  private static String number(double value) {
    return Math.abs(value - Math.rint(value)) < 1e-9
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, "%.3g", value);
  }
}
