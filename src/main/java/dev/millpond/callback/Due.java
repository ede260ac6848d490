package dev.millpond.callback;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A call that this node is to make.
 *
 * @param id the job's
 * @param token what proves that it still is this node's to make
 * @param version of the finished job
 * @param attempt from 1
 * @param host scheme, host and port of the target
 * @param traceparent the W3C trace context of the submit; null for none
 */
record Due(
    UUID id, UUID token, int version, int attempt, String host, @Nullable String traceparent) {}
