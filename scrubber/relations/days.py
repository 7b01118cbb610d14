"""Arithmetic of days and times: windows around a date of service, spans between two days, days some time later."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date

MINUTES_OF_A_DAY = 1440
MOST_DAYS = 3_652_059  # of the calendar: 9999-12-31
MOST_MOVED = 200_000  # days that a day is moved by; a rule states far fewer

IsHoliday = Callable[[int], bool]


def moved(day: int, unit: str, count: int, is_holiday: IsHoliday | None = None) -> int | None:
    """The day (ordinal) `count` units later, earlier where it is negative; None where the calendar has no such day.

    A month later than the 31st is the last day of a shorter month; a year later than a leap day is the 28th.
    """
    if abs(count) > MOST_MOVED:
        return None
    if unit == "days":
        return _of_calendar(day + count)
    if unit == "business-days":
        return _business_days_later(day, count, is_holiday)
    return _months_later(day, count * (12 if unit == "full-years" else 1))


def _of_calendar(day: int) -> int | None:
    return day if 1 <= day <= MOST_DAYS else None


def _months_later(day: int, months: int) -> int | None:
    start = date.fromordinal(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal()


def _business_days_later(day: int, count: int, is_holiday: IsHoliday | None) -> int | None:
    step, left = (1 if count > 0 else -1), abs(count)
    while left:
        day += step
        if not 1 <= day <= MOST_DAYS:
            return None
        if is_business_day(day, is_holiday):
            left -= 1
    return day


def is_business_day(day: int, is_holiday: IsHoliday | None) -> bool:
    """Whether a day is neither Saturday nor Sunday nor a holiday."""
    return (day - 1) % 7 < 5 and not (is_holiday is not None and is_holiday(day))  # day 1 was a Monday


def span(unit: str, first: int, last: int, is_holiday: IsHoliday | None = None) -> int:
    """How long it is from one day (of minutes: time) to another, in whole units; negative where it is earlier."""
    if unit in ("days", "minutes"):
        return last - first
    if unit == "business-days":
        low, high = sorted((first, last))
        counted = _business_days(low, high, is_holiday)
        return counted if last >= first else -counted
    if last < first:
        return -span(unit, last, first)
    one, two = date.fromordinal(first), date.fromordinal(last)
    months = (two.year - one.year) * 12 + two.month - one.month
    if unit == "months-between":
        return max(months - 1, 0)
    full = months - (1 if two.day < one.day else 0)
    return full // 12 if unit == "full-years" else full


def _business_days(low: int, high: int, is_holiday: IsHoliday | None) -> int:
    """Business days after `low` up to `high`."""
    weeks, rest = divmod(high - low, 7)
    count = weeks * 5 + sum(1 for day in range(high - rest + 1, high + 1) if is_business_day(day, None))
    if is_holiday is None:
        return count
    return count - sum(1 for day in range(low + 1, high + 1) if is_business_day(day, None) and is_holiday(day))


def in_window(day: int, unit: str, count: int, side: str, reference: int) -> bool:
    """Whether a day lies in a window of some units around another."""
    if unit == "calendar-year":
        return date.fromordinal(day).year == date.fromordinal(reference).year
    if side == "either":
        low, high = moved(reference, unit, -count), moved(reference, unit, count)
        return (low is None or low <= day) and (high is None or day <= high)
    if side in ("before", "up-to"):
        low = moved(reference, unit, -count)
        if side == "before":
            return day < reference and (low is None or low <= day)
        return day <= reference and (low is None or low < day)
    high = moved(reference, unit, count)
    if side == "after":
        return reference < day and (high is None or day <= high)
    return reference <= day and (high is None or day < high)


def window_start(unit: str, count: int, side: str, reference: int) -> int:
    """The first day of a window."""
    if unit == "calendar-year":
        return date(date.fromordinal(reference).year, 1, 1).toordinal()
    if side in ("after", "from"):
        return reference
    low = moved(reference, unit, -count)
    if low is None:
        return 1
    return low + 1 if side == "up-to" else low
