/** What the tests of several rooms share: the database, its invariants, the settings that exist. */
@NullMarked
package dev.millpond.testing;

import org.jspecify.annotations.NullMarked;
