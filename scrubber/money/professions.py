"""Money: what share of the fee Medicare pays the profession of who rendered a service, and what is said of one unknown.

The shares stand in the taxonomy table (42 CFR 414.53 and its neighbours). Without a row the fee is not reduced, and
the basis of the amount says so: nobody should take the fee of a physician for that of a profession nobody looked up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from scrubber.reference.rows import Taxonomy

FULL = Decimal(1)


class Profession(NamedTuple):
    """The share of the fee that a profession is paid, its name, and what the basis of an amount says of it."""

    percent: Decimal
    name: str = ""
    remark: str = ""


ANY_PHYSICIAN = Profession(FULL)  # for questions about a code, which are not about anybody's claim
NOT_SENT = Profession(FULL, "", "profession not sent, priced in full")
NOT_LISTED = Profession(FULL, "", "profession in no loaded table, priced in full")


def profession_of(row: Taxonomy | None, *, sent: bool) -> Profession:
    """What a row of the taxonomy table says; `sent`: whether a taxonomy code was there to be looked up."""
    if row is None:
        return NOT_LISTED if sent else NOT_SENT
    name = row.provider_class.replace("-", " ")
    doubt = "" if row.verified else f"the share of a {name} is not verified"
    return Profession(row.percent, name, doubt)
