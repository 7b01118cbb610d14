"""Around the path: a day as an option of a command."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from scrubber.claim import Claim


class Day(click.ParamType[date]):
    """A date as the claim's own body writes it."""

    name = "CCYYMMDD"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Called by click."""
        try:
            return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            self.fail("give a date as CCYYMMDD, for example 20250312", param, ctx)


def received(option: date | None, claim: Claim) -> date:
    """The day of receipt: the option, else the claim's own, else today (UTC)."""
    return option or claim.context.received_on or datetime.now(UTC).date()
