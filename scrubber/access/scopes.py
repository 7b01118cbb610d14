"""Around the path: what a key may allow, and the tenant of whoever needs none."""

from __future__ import annotations

import re

SCRUB = "scrub"
BATCH = "batch"
PRIORITY = "batch:priority"
RULES_READ = "rules:read"
RULES_SWITCH = "rules:switch"
RULES_RELOAD = "rules:reload"
REFERENCE_LOAD = "reference:load"
ADMIN = "admin"

# By name: what it allows, in the words of the documentation.
SCOPES: dict[str, str] = {
    SCRUB: "Scrub single claims, and have their findings explained.",
    BATCH: "Send batches, follow them, read their results, cancel and delete them.",
    PRIORITY: "Give a batch a priority.",
    RULES_READ: "Read rules, codes, prices and the releases of reference data.",
    RULES_SWITCH: "Switch single rules on or off for one claim or one batch.",
    RULES_RELOAD: "Have new rules taken. No address of this version does that.",
    REFERENCE_LOAD: "Load reference data. No address of this version does that.",
    ADMIN: "All of these.",
}
_TENANT = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def is_tenant(name: str) -> bool:
    """Whether a tenant may be called so: 1 to 63 small letters, digits, dots, hyphens and underscores."""
    return _TENANT.fullmatch(name) is not None
