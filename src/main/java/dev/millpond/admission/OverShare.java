package dev.millpond.admission;

import org.jspecify.annotations.Nullable;

/**
 * Why a tenant's submit was sent away while others still get in.
 *
 * @param refusal the queue, and when to come back
 * @param tenant null for jobs without one
 * @param waiting how many of its jobs wait
 * @param share how many may while the queue is crowded
 */
record OverShare(Refusal refusal, @Nullable String tenant, int waiting, int share)
    implements Verdict {}
