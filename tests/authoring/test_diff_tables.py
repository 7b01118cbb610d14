"""The days of service that a change affects."""

from __future__ import annotations

from datetime import date

import pytest

from scrubber.authoring.diff_tables import Days, affected


@pytest.mark.parametrize(
    ("before", "after", "alike", "days"),
    [
        ((1, 5), (1, 5), True, []),
        ((1, 5), (1, 5), False, [(1, 5)]),
        ((1, 5), (3, 9), True, [(1, 3), (5, 9)]),
        ((1, 5), (3, 9), False, [(1, 9)]),
        ((1, 3), (5, 9), False, [(1, 3), (5, 9)]),
        ((None, None), (5, None), True, [(None, 5)]),
        ((None, 3), None, False, [(None, 3)]),
    ],
)
def test_a_change_affects_the_days_that_are_not_alike(
    before: tuple[int | None, int | None],
    after: tuple[int | None, int | None] | None,
    alike: bool,
    days: list[tuple[int | None, int | None]],
) -> None:
    def of(pair: tuple[int | None, int | None]) -> Days:
        since, until = (date(2025, 1, day) if day else None for day in pair)
        return Days(since, until)

    assert affected(of(before), of(after) if after else None, alike) == tuple(map(of, days))
