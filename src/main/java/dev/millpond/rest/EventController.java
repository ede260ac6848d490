package dev.millpond.rest;

import dev.millpond.job.Job;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.UUID;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** How a job goes on, as it happens: Server-Sent Events. */
@RestController
class EventController {

  private final KnownJobs jobs;
  private final EventStreams streams;

  EventController(KnownJobs jobs, EventStreams streams) {
    this.jobs = jobs;
    this.streams = streams;
  }

  @Answers({Problem.JOB_NOT_FOUND, Problem.JOB_GONE})
  @GetMapping(path = "/v1/jobs/{id}/events", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
  void events(@PathVariable String id, HttpServletRequest request, HttpServletResponse response)
      throws IOException, ServletException {
    EventId last = EventId.last(request);
    Job job = jobs.find(id);
    if (job.state().isFinal() && job.version() == last.version()) {
      // To a browser, the word to come back no more.
      response.setStatus(HttpStatus.NO_CONTENT.value());
      return;
    }
    if (!streams.takesMore()) {
      throw new ProblemException(
          ProblemDocument.of(Problem.OVERLOADED, "Too many clients watch jobs on this node.")
              .retryAfter(Refusals.SOON_SECONDS));
    }
    response.setContentType(MediaType.TEXT_EVENT_STREAM_VALUE);
    response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
    response.setHeader(HttpHeaders.CONNECTION, "close");
    response.setHeader("X-Accel-Buffering", "no"); // nginx would keep the events for later
    if (!request.getMethod().equals(HttpMethod.HEAD.name())) {
      response.flushBuffer();
      follow(job.id(), last, request.upgrade(EventConnection.class));
    }
  }

  private void follow(UUID job, EventId last, EventConnection connection) {
    connection.whenOpened(() -> streams.open(job, last, connection));
  }
}
