@NullMarked
package dev.millpond.rest;

import org.jspecify.annotations.NullMarked;
