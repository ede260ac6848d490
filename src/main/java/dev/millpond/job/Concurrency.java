package dev.millpond.job;

/**
 * A bound on how many jobs with the same key run at once, over all nodes. A key counts within its
 * queue.
 *
 * @param key 1 to {@value #MAX_KEY} characters
 * @param limit how many of the key may run when this job starts, itself included: 1 to {@value
 *     #MAX_LIMIT}. With 1, no other starts before this one has ended, its retries included
 */
public record Concurrency(String key, int limit) {

  public static final int MAX_KEY = 255;
  public static final int MAX_LIMIT = 1_000;
}
