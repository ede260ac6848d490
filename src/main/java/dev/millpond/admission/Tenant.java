package dev.millpond.admission;

import java.util.regex.Pattern;

/** Tenants by name: for whom a job is, where several share a queue. */
public final class Tenant {

  /** The header that names the tenant of all jobs of a submit. */
  public static final String HEADER = "Millpond-Tenant";

  /** What a tenant's name looks like. */
  public static final String PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";

  private static final Pattern VALID = Pattern.compile(PATTERN);

  private Tenant() {}

  /** Whether the text is a tenant's name. */
  public static boolean isValid(String name) {
    return VALID.matcher(name).matches();
  }
}
