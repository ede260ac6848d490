package dev.millpond.admission;

/** Whether there is room for jobs. */
sealed interface Verdict permits Reservation, Decision.Full, Decision.TenantOverShare {}
