"""Many claims in one body: kept durably, split into chunks, scrubbed by workers, once each."""
