"""Before any claim: what a release is called and which days it is for, from its files and from who loads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple, TypeVar

from scrubber.errors import Fault, Faults
from scrubber.reference.load.format import Stated
from scrubber.reference.load.quarters import quarter_named
from scrubber.reference.place import Loaded

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
    name = chosen.name or _agreed(told, lambda each: each.name)
    if name is None:
        raise Faults([Fault(first, 0, "does not say which release it is: name it with --release")])
    days = quarter_named(name) if chosen.name else Stated()
    since = chosen.since or days.since or _agreed(told, lambda each: each.since)
    until = chosen.until or days.until or _agreed(told, lambda each: each.until)
    if since is None:
        raise Faults([Fault(first, 0, "does not say since when it is in force: give --since")])
    if until is not None and until <= since:
        raise Faults([Fault(first, 0, "ends before it begins: --until is the first day no longer in force")])
    return Named(name, since, until, chosen.name is not None)


def _check_quarters(told: list[tuple[str, Stated]], chosen: str | None) -> None:
    # A slip of the pen would put the rows of one quarter in force in another one, and replace what is there.
    if chosen is None or quarter_named(chosen).name is None:
        return
    for name, stated in told:
        if stated.name and quarter_named(stated.name).name and stated.name != chosen:
            raise Faults([Fault(name, 0, f"is of {stated.name}, and --release says {chosen}")])


def _agreed(told: list[tuple[str, Stated]], what: Callable[[Stated], T | None]) -> T | None:
    found = {said: name for name, stated in told if (said := what(stated)) is not None}
    if len(found) > 1:
        (one, one_name), (other, other_name), *_ = found.items()
        raise Faults([Fault(other_name, 0, f"is of another release ({other}) than {one_name} ({one})")])
    return next(iter(found), None)


def replaced_by(new: Named, loaded: Iterable[Loaded]) -> Loaded | None:
    """The release that the new one stands in for, of those loaded of its kind; None: of none.

    One that begins within another cuts it short there, whichever is loaded first: so CMS and CDC publish revisions.
    Raises Faults when the new one begins on the day of another, or has the name of one without having been given it.
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
    return same


def _refused(reason: str) -> Faults:
    return Faults([Fault("the release", 0, reason)])
