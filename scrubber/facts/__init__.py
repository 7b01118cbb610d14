"""Claim and tables in, flat typed facts out. Every look-up of a scrub happens here."""
