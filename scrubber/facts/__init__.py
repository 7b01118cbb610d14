"""Step 2 of a claim's path: claim and tables in, flat typed facts out. Every look-up of a scrub happens here."""
