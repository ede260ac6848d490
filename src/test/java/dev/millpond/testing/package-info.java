/** What tests share: the packaged service as a process, its client, and what it works with. */
@NullMarked
package dev.millpond.testing;

import org.jspecify.annotations.NullMarked;
