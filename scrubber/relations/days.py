"""Arithmetic of days and times: windows around a date of service, spans between two days, days some time later."""

from __future__ import annotations

from bisect import bisect_right
from calendar import isleap, monthrange
from collections.abc import Iterable
from datetime import date

MINUTES_OF_A_DAY = 1440
MOST_DAYS = 3_652_059  # of the calendar: 9999-12-31
_LEAP_DAY = 229
MOST_MOVED = 200_000  # days that a day is moved by; a rule states far fewer

Holidays = tuple[int, ...]  # in order, without Saturdays and Sundays


def moved(day: int, unit: str, count: int, holidays: Holidays = ()) -> int | None:
    """The day (ordinal) `count` units later, earlier where it is negative; None where the calendar has no such day.

    A month later than the 31st is the last day of a shorter month; a year later than a leap day is the 28th.
    """
    if abs(count) > MOST_MOVED:
        return None
    if unit == "days":
        return _of_calendar(day + count)
    if unit == "business-days":
        return _business_days_later(day, count, holidays)
    return _months_later(day, count * (12 if unit == "full-years" else 1))


def _of_calendar(day: int) -> int | None:
    return day if 1 <= day <= MOST_DAYS else None


def _months_later(day: int, months: int) -> int | None:
    start = date.fromordinal(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal()


def _business_days_later(day: int, count: int, holidays: Holidays) -> int | None:
    """By halving: the first day with so many business days from the day on, or the last one with so many up to it."""
    if count == 0:
        return day
    wanted = abs(count)
    reach = (wanted + len(holidays)) * 7 // 5 + 7
    low, high = 1, reach
    while low < high:
        middle = (low + high) // 2
        enough = _business_days(day, day + middle, holidays) if count > 0 else _business_days(
            day - middle - 1, day - 1, holidays
        )  # fmt: skip
        low, high = (low, middle) if enough >= wanted else (middle + 1, high)
    return _of_calendar(day + low if count > 0 else day - low)


def is_weekday(day: int) -> bool:
    """Whether a day is neither Saturday nor Sunday."""
    return (day - 1) % 7 < 5  # day 1 was a Monday


def span(unit: str, first: int, last: int, holidays: Holidays = ()) -> int:
    """How long it is from one day (of minutes: time) to another, in whole units; negative where it is earlier."""
    if unit in ("days", "minutes"):
        return last - first
    if unit == "business-days":
        low, high = sorted((first, last))
        counted = _business_days(low, high, holidays)
        return counted if last >= first else -counted
    if last < first:
        return -span(unit, last, first)
    one, two = date.fromordinal(first), date.fromordinal(last)
    months = (two.year - one.year) * 12 + two.month - one.month
    if unit == "months-between":
        return max(months - 1, 0)
    full = months - (1 if two.day < one.day else 0)
    return full // 12 if unit == "full-years" else full


def _business_days(low: int, high: int, holidays: Holidays) -> int:
    """Business days after `low` up to `high`: what weeks have of them, less the holidays between."""
    weeks, rest = divmod(high - low, 7)
    count = weeks * 5 + sum(1 for day in range(high - rest + 1, high + 1) if is_weekday(day))
    return count - (bisect_right(holidays, high) - bisect_right(holidays, low))


def in_window(day: int, unit: str, count: int, side: str, reference: int) -> bool:
    """Whether a day lies in a window of some units around another."""
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
    if side in ("after", "from"):
        return reference
    low = moved(reference, unit, -count)
    if low is None:
        return 1
    return low + 1 if side == "up-to" else low


def period(unit: str, reference: int, begins: int, ends: int) -> tuple[int, int] | None:
    """The first and the last day of the year, quarter, month, week or season in which a day lies; None: in no season.

    A week begins on weekday `begins`. A season begins and ends on days of the year, month x 100 + day; one that begins
    on 02-29 begins in other years on the day after the 28th, and one that ends then ends on the 28th.
    """
    day = date.fromordinal(reference)
    if unit == "week":
        first = reference - (day.isoweekday() - begins) % 7
        return max(first, 1), min(first + 6, MOST_DAYS)
    if unit == "season":
        return _season(day, begins, ends)
    months = {"calendar-year": 12, "calendar-quarter": 3, "calendar-month": 1}[unit]
    start = (day.month - 1) // months * months + 1
    last = start + months - 1
    return (
        date(day.year, start, 1).toordinal(),
        date(day.year, last, monthrange(day.year, last)[1]).toordinal(),
    )


def _season(day: date, begins: int, ends: int) -> tuple[int, int] | None:
    over_new_year = ends < begins
    for year in (day.year - 1, day.year) if over_new_year else (day.year,):
        first, last = _day_of_year(year, begins), _day_of_year(year + over_new_year, ends)
        leap_day_left_out = begins == _LEAP_DAY and not isleap(year)
        first += 1 if leap_day_left_out else 0
        if first <= day.toordinal() <= last:
            return first, last
    return None


def _day_of_year(year: int, place: int) -> int:
    """A day of a year, the last of its month where that is shorter; a year out of the calendar is cut off."""
    month, day = divmod(place, 100)
    if not 1 <= year <= 9999:
        return 1 if year < 1 else MOST_DAYS
    return date(year, month, min(day, monthrange(year, month)[1])).toordinal()


def day_part(word: str, day: int) -> int:
    """The year, month or weekday (1 = Monday) of a day; of a time (minutes since day 0) its day or clock-time."""
    if word == "clock-time":
        return day % MINUTES_OF_A_DAY
    if word == "day":
        return day // MINUTES_OF_A_DAY
    if word == "weekday":
        return (day - 1) % 7 + 1
    found = date.fromordinal(day)
    return found.year if word == "year" else found.month


def shared(unit: str, first: int, last: int, other_first: int, other_last: int) -> int:
    """How much two spans have in common: days with their first and last one, or minutes."""
    common = min(last, other_last) - max(first, other_first) + (1 if unit == "days" else 0)
    return max(common, 0)


def run_start(reached: int, apart: int, days: Iterable[int]) -> int:
    """The first day of the run that reaches a day, each day of it at most `apart` days before the next one."""
    start = reached
    for day in sorted(set(days), reverse=True):
        if day >= start:
            continue
        if start - day > apart:
            break
        start = day
    return start
