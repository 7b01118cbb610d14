"""Before any claim: what a release is called and which days it is for, from its files and from who loads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple, TypeVar

from scrubber.errors import Fault, Faults
from scrubber.reference.load.format import Stated
from scrubber.reference.load.quarters import quarter_named
from scrubber.reference.place import Loaded

REVISION = "-"  # between the name of a release and what names its revision, as in FY2026-April

T = TypeVar("T", str, date)


class Named(NamedTuple):
    """Name and days of a release; `until` None: until the next one. `chosen`: the name was given, not read."""

    name: str
    since: date
    until: date | None
    chosen: bool


def named(stated: Iterable[tuple[str, Stated]], chosen: Stated) -> Named:
    """The release of files, by their names and what each states. What is `chosen` goes before what they state.

    Raises Faults when files are of different releases, when one is of another quarter than the chosen name says, or
    when nobody says which it is and since when.
    """
    told = list(stated)
    first = told[0][0]
    _check_quarters(told, chosen.name)
    # Asked for whatever was chosen: a name for them all does not make one release of the files of two.
    stated_name, stated_since = _agreed(told, lambda each: each.name), _agreed(told, lambda each: each.since)
    name = chosen.name or stated_name
    if name is None:
        raise Faults([Fault(first, 0, "does not say which release it is: name it with --release")])
    days = quarter_named(name) if chosen.name else Stated()
    since = chosen.since or days.since or stated_since
    until = chosen.until or days.until or _agreed(told, lambda each: each.until)
    if since is None:
        raise Faults([Fault(first, 0, "does not say since when it is in force: give --since")])
    if until is not None and until <= since:
        raise Faults([Fault(first, 0, "ends before it begins: --until is the first day no longer in force")])
    return Named(name, since, until, chosen.name is not None)


def _check_quarters(told: list[tuple[str, Stated]], chosen: str | None) -> None:
    # A slip of the pen would put the rows of one quarter in force in another one, and replace what is there.
    said = quarter_named(chosen.partition(REVISION)[0]).name if chosen else None
    if said is None:
        return
    for name, stated in told:
        if stated.name and quarter_named(stated.name).name and stated.name != said:
            raise Faults([Fault(name, 0, f"is of {stated.name}, and --release says {chosen}")])


def _agreed(told: list[tuple[str, Stated]], what: Callable[[Stated], T | None]) -> T | None:
    found = {said: name for name, stated in told if (said := what(stated)) is not None}
    if len(found) > 1:
        (one, one_name), (other, other_name), *_ = found.items()
        raise Faults([Fault(other_name, 0, f"is of another release ({other}) than {one_name} ({one})")])
    return next(iter(found), None)


def replaced_by(new: Named, loaded: Iterable[Loaded]) -> Loaded | None:
    """The release that the new one stands in for, of those loaded of its kind; None: of none.

    One without a stated end holds until the next begins, and one that is named after another revises it from its first
    day on. Raises Faults when the new one has a day in common with any other, begins on the day of another, or has the
    name of one without having been given it.
    """
    same = None
    for each in loaded:
        if each.name == new.name:
            if not new.chosen:
                raise _refused(
                    f"{each.name} is loaded already from other bytes; to replace it, give --release {each.name}"
                    " and all of its files together"
                )
            same = each
        elif each.since == new.since:
            raise _refused(
                f"{new.name} begins on {new.since} as {each.name} does, which is loaded; drop that, or give --since"
            )
        else:
            _check_apart(new, each)
    return same


def _check_apart(new: Named, there: Loaded) -> None:
    if there.since is None or there.since < new.since:
        if _is_within(new.since, there.until) and not _revises(new.name, there.name):
            raise _refused(
                f"{new.name} begins on {new.since}, while {there.name}, which is loaded, states that it holds until"
                f" {there.until}; if it revises that from then on, give --release {there.name}{REVISION}revised; if it"
                f" stands in its place, --release {there.name}; else drop that, and load it with --until {new.since}"
            )
    elif _is_within(there.since, new.until) and not _revises(there.name, new.name):
        raise _refused(
            f"{new.name} holds until {new.until}, while {there.name}, which is loaded, begins on {there.since};"
            f" give --until {there.since}, or drop that"
        )


def _is_within(since: date, until: date | None) -> bool:
    """Whether the later of two releases begins before the stated end of the earlier one; open ones give way."""
    return until is not None and since < until


def _revises(later: str, earlier: str) -> bool:
    return later.startswith(earlier + REVISION)


def _refused(reason: str) -> Faults:
    return Faults([Fault("the release", 0, reason)])
