package dev.millpond.rest;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;

/** Runs a test against {@link EdgeApp} on a real Tomcat, which all such tests share. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@SpringBootTest(
    classes = EdgeApp.class,
    webEnvironment = WebEnvironment.RANDOM_PORT,
    properties = {
      "millpond.rest.hosts=queue.example",
      // There is no database to be healthy.
      "management.endpoint.health.validate-group-membership=false"
    })
@interface OnTomcat {}
