"""Money: what share of the fee Medicare pays the profession of who rendered a service, and what is said of one unknown.

The shares stand in the taxonomy table (42 CFR 414.53 and its neighbours). Without a row the fee is not reduced, and
the basis of the amount says so: nobody should take the fee of a physician for that of a profession nobody looked up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from scrubber.reference.rows import Taxonomy

FULL = Decimal(1)
NOT_ASKED = "not-asked"  # of questions about a code, which are not about anybody's claim
NOT_SENT, NOT_LISTED = "not-sent", "not-listed"  # instead of a row of the taxonomy table
REMARKS = {
    NOT_ASKED: "",
    NOT_SENT: "profession not sent, priced in full",
    NOT_LISTED: "profession in no loaded table, priced in full",
}


class Profession(NamedTuple):
    """The share of the fee that a profession is paid, its name, and what the basis of an amount says of it."""

    percent: Decimal
    name: str
    remark: str


def profession_of(row: Taxonomy | str) -> Profession:
    """What a row of the taxonomy table says, or one of the words that stand where there is none."""
    if isinstance(row, str):
        return Profession(FULL, "", REMARKS[row])
    name = row.provider_class.replace("-", " ")
    return Profession(row.percent, name, "" if row.verified else f"the share of a {name} is not verified")
