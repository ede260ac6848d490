package dev.millpond.postgres;

import org.jspecify.annotations.Nullable;

/** The database cannot be used; says what is wrong and, in a second sentence, what to do. */
final class StartFailure extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  private final String problem;
  private final String action;

  StartFailure(String problem, String action) {
    this(problem, action, null);
  }

  StartFailure(String problem, String action, @Nullable Throwable cause) {
    super(problem + System.lineSeparator() + action, cause);
    this.problem = problem;
    this.action = action;
  }

  String problem() {
    return problem;
  }

  String action() {
    return action;
  }
}
