"""Beside the path: the shape of what /healthz and /readyz tell."""

from __future__ import annotations

from scrubber.web.documented.answer import USED_RELEASE
from scrubber.web.documented.shapes import number, parts, shape, text

HEALTH = shape("Health", {"status": text("ok")})
READINESS = shape(
    "Readiness",
    {
        "status": text("ready"),
        "program": text("Version of this program."),
        "rulebook": text("Digest of every rule and table beside the rules."),
        "rules": number("How many rules are active."),
        "reference": parts(USED_RELEASE, "Every reference release that is loaded."),
    },
)
