package dev.millpond.job;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A page of a list, newest job first.
 *
 * @param jobs may be fewer than asked for, and even none, while there is a next page
 * @param next the page after this one starts below this id; null after the last page
 */
public record JobPage(List<Job> jobs, @Nullable UUID next) {}
