"""Makes flat typed facts of a claim and the tables. Every look-up of a scrub happens here."""
