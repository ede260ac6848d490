package dev.millpond.rest;

import java.io.IOException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;

/**
 * Takes the place of Tomcat's HTML error page for requests that never reach the application: a
 * broken request line, an impossible Host.
 */
public final class ProblemValve extends ErrorReportValve {

  @Override
  protected void report(Request request, Response response, @Nullable Throwable failure) {
    int status = response.getStatus();
    if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
      return;
    }
    try {
      ProblemWriter.write(
          request.getRequest(), response.getResponse(), ProblemDocument.ofStatus(status));
      response.finishResponse();
    } catch (IOException e) {
      container.getLogger().debug("The client has gone", e);
    }
  }
}
