package dev.millpond.rest;

import org.apache.catalina.core.StandardHost;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.springframework.boot.tomcat.TomcatContextCustomizer;
import org.springframework.boot.tomcat.TomcatProtocolHandlerCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What Tomcat must do differently and has no setting for. */
@Configuration(proxyBeanMethods = false)
class TomcatEdge {

  /**
   * {@code 100 Continue} is sent when the body is read and not before, so that a client which waits
   * for it learns of a refusal without having sent the body.
   */
  @Bean
  TomcatProtocolHandlerCustomizer<AbstractHttp11Protocol<?>> continueWhenTheBodyIsRead() {
    return protocol -> protocol.setContinueResponseTiming("onRead");
  }

  /**
   * The host makes the valve when it starts, behind all that were added before: it is the first to
   * see an error on its way out.
   */
  @Bean
  TomcatContextCustomizer problemsInsteadOfErrorPages() {
    return context -> {
      if (context.getParent() instanceof StandardHost host) {
        host.setErrorReportValveClass(ProblemValve.class.getName());
      }
    };
  }
}
