"""Beside the path: the shape of what /healthz and /readyz tell."""

from __future__ import annotations

from scrubber.web.documented.answer import USED_RELEASE
from scrubber.web.documented.shapes import flag, maybe, number, or_null, part, parts, shape, text

_KEYED = "Where keys are demanded, only for who has one."
HEALTH = shape("Health", {"status": text("ok")})
_BATCHES = shape(
    "BatchReadiness",
    {
        "goOn": flag("Whether workers can go on. Single claims are scrubbed all the same."),
        "why": or_null("Why not, such as a full disk; they go on by themselves when there is room."),
    },
)
READINESS = shape(
    "Readiness",
    {
        "status": text("ready"),
        "program": maybe(text(f"Version of this program. {_KEYED}")),
        "rulebook": maybe(text(f"Digest of every rule and table beside the rules. {_KEYED}")),
        "rules": maybe(number(f"How many rules are active. {_KEYED}")),
        "batches": maybe(part(_BATCHES, f"Whether batches go on; null where none are taken. {_KEYED}", nullable=True)),
        "reference": maybe(parts(USED_RELEASE, f"Every reference release that is loaded. {_KEYED}")),
    },
)
