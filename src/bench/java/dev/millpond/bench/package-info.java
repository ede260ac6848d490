/** Measures the packaged service against the speed that it promises. */
@NullMarked
package dev.millpond.bench;

import org.jspecify.annotations.NullMarked;
