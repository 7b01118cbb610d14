"""Verifies our prices: computes the amounts that CMS publishes by locality, and compares them to the cent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scrubber.pricing.adjustments import NO_CLAIM
from scrubber.pricing.fee_schedule import Area, PricedService, medicare_unit_fee
from scrubber.reference import Reference
from scrubber.reference.load.format import BadRow, SourceFile
from scrubber.reference.load.mpfs_factors import CarrierAmount, read_carrier_amounts

MOST_LISTED = 100  # of the differences and of the bad rows; all are counted


class AmountComparison(NamedTuple):
    """A published amount and ours. `ours` None: not known, `unknown` says why."""

    row: CarrierAmount
    setting: str
    published: Decimal
    ours: Decimal | None
    unknown: str | None


@dataclass
class Verification:
    """How many published rows and amounts were read, and how many of the amounts are ours to the cent.

    `different` counts those that are not, `unknown` those that have no amount here, by reason. `days` are the dates of
    service that ours are for.
    """

    days: set[date] = field(default_factory=set)
    rows: int = 0
    amounts: int = 0
    exact: int = 0
    different: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    bad_rows: int = 0
    first_different: list[AmountComparison] = field(default_factory=list)
    first_bad: list[BadRow] = field(default_factory=list)

    @property
    def all_exact(self) -> bool:
        """Whether there are amounts, every row was read, and every amount is ours to the cent."""
        return 0 < self.amounts == self.exact and not self.bad_rows

    def count(self, compared: AmountComparison) -> None:
        """Take one amount into account."""
        self.amounts += 1
        if compared.unknown is not None:
            self.unknown[compared.unknown] += 1
        elif compared.ours == compared.published:
            self.exact += 1
        else:
            self.different += 1
            if len(self.first_different) < MOST_LISTED:
                self.first_different.append(compared)

    def count_bad(self, row: BadRow) -> None:
        """Take a row into account that could not be read."""
        self.bad_rows += 1
        if len(self.first_bad) < MOST_LISTED:
            self.first_bad.append(row)


def verify_mpfs(
    source: SourceFile, reference: Reference, day: date | None = None, qualifying_apm: bool = False
) -> Verification:
    """Compare a file of carrier amounts with what the loaded relative values, indices and conversion factor give.

    These are looked up as of `day`; None: the last day of the year that each row names. The prices are those of claims:
    the same function computes them. Memory does not grow with the file.
    """
    verification = Verification()
    for row in read_carrier_amounts(source):
        if isinstance(row, BadRow):
            verification.count_bad(row)
            continue
        of_row = day or date(row.year, 12, 31)
        verification.rows += 1
        verification.days.add(of_row)
        for compared in compare(row, reference, of_row, qualifying_apm):
            verification.count(compared)
    return verification


def compare(row: CarrierAmount, reference: Reference, day: date, qualifying_apm: bool) -> Iterator[AmountComparison]:
    """Both amounts of a published row, each with ours."""
    for setting, published in (("non-facility", row.non_facility), ("facility", row.facility)):
        service = PricedService(
            code=row.code,
            modifiers=(row.component,) if row.component else (),
            day=day,
            setting=setting,
            area=Area(row.locality),
            participating=True,
            qualifying_apm=qualifying_apm,
            profession=NO_CLAIM,
        )
        ours = medicare_unit_fee(reference, service)
        yield AmountComparison(row, setting, published, ours.fee, ours.unknown)
