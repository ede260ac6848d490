/**
 * Jobs that are submitted at their times: by a cron expression in a time zone, or every so often.
 *
 * <p>Each due time has one row of {@code firing}, and that row decides: nothing that a node
 * remembers does. Every node waits for the next due time of every schedule.
 *
 * <pre>
 * DueTimes     when a schedule is due: Cron (daylight saving), Every
 * Timetable    a node's memory of what is due next
 * FiringLoop   the moment has come: one statement claims the due time for this node (FiringSql)
 * Plan         which due times fire, where several have passed
 * Firings      overlap -&gt; Admission.admit, with a key that is the due time's -&gt; the row is settled
 * Schedules    the settings, for the front door
 * </pre>
 *
 * <p>A node that dies between the claim and the settlement leaves an open row behind, which another
 * one takes over. The key that is written with the job tells it whether the job is there already,
 * so that a due time fires once whatever happens.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"admission", "queue", "job"})
package dev.millpond.schedule;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
