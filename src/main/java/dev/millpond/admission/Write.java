package dev.millpond.admission;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The jobs of one request: written together or not at all. */
record Write(List<Entry> entries, @Nullable RequestKey key) {}
