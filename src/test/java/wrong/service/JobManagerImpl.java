package wrong.service;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Date;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Transactional;

/**
 * Does all that the rules of the rooms forbid, so that a test can see each of them fail. Outside
 * the product's packages, so that no component scan finds it.
 */
@Entity
@Table(name = "job")
@SuppressWarnings({"JavaUtilDate", "SystemOut"})
public class JobManagerImpl {

  @Id private long id;

  @Autowired private JdbcClient jdbc;

  @Transactional
  public Date waitForJob() throws InterruptedException {
    Thread.sleep(10);
    System.out.println(Instant.now());
    jdbc.sql("delete from job where id = :id").param("id", id).update();
    return new Date();
  }
}
