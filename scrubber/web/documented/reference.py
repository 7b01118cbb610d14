"""Beside the path: the shape of releases of reference data as the API tells them."""

from __future__ import annotations

from scrubber.answer.releases import NOT_LOADED
from scrubber.web.documented.rules import WINDOW
from scrubber.web.documented.shapes import flag, number, or_null, part, parts, shape, text, word

STANDINGS = ("in-force", "carried-forward", "past-last-release", "before-first-release", NOT_LOADED)

RELEASE = shape(
    "Release",
    {
        "table": text("Name of the reference table."),
        "release": text("Name of the release."),
        "effective": part(WINDOW, "Dates of service that it was published for."),
        "sha256": text("SHA-256 of what it was read from."),
        "rows": number("How many rows it has."),
        "starter": flag("Whether it ships with the program."),
        "complete": flag("Whether it was loaded as complete, so that a code that it lacks is a finding."),
        "source": text("Where it is from."),
        "loaded": or_null("When a published file was loaded (UTC); null for tables typed by hand."),
    },
)
RELEASES = shape("Releases", {"releases": parts(RELEASE, "By table, then by first day.")})
STANDING = shape(
    "TableStanding",
    {
        "table": text("Name of the reference table."),
        "release": or_null("The release that answers for the date, else the first; null when none is loaded."),
        "sha256": or_null("SHA-256 of what it was read from."),
        "standing": word(STANDINGS, "How the date lies to the releases of the table."),
    },
)
