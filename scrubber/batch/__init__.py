"""Around the path: many claims in one body: kept durably, cut into chunks, scrubbed by workers, once each."""
