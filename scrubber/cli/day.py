"""Around the path: a day as an option of a command."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from scrubber.claim import Claim
from scrubber.codes.asked import DATE, BadParameter


class Day(click.ParamType[date]):
    """A date as the API's parameters have it: CCYYMMDD or CCYY-MM-DD."""

    name = "CCYYMMDD"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Called by click."""
        try:
            day: date = DATE.read(value)
        except BadParameter:
            self.fail("give a date as CCYYMMDD or CCYY-MM-DD, for example 20250312", param, ctx)
        return day


def received(option: date | None, claim: Claim) -> date:
    """The day of receipt: the option, else the claim's own, else today (UTC)."""
    return option or claim.context.received_on or datetime.now(UTC).date()
