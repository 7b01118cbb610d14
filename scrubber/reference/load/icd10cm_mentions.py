"""Before any claim: which codes, sexes and ages the words of the ICD-10-CM tabular list name.

The list is written for people. What is read here are codes in parentheses, and a few set phrases; whatever else a
note says makes it conditional, so that no rule takes the codes alone for the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

_CODE = r"((?:[A-Z][0-9]|QA)[0-9A-Z](?:\.[0-9A-Z]{1,4})?)(?![0-9A-Za-z])"
_mention = re.compile(rf"\b{_CODE}(?:\.?-?\s*(?:-|to)\s*{_CODE})?(?:\.?-)?")
_parenthesis = re.compile(r"\(([^()]*)\)")
_joining = re.compile(r"\b(?:and|or)\b|[^A-Za-z0-9]")
_narrowing = re.compile(r"\bwith\b|\bcode to\b|\bif\b", re.IGNORECASE)
_vitamin = re.compile(r"\bvitamin B12\b", re.IGNORECASE)
_of_any_cause = re.compile(r"(?:the )?underlying |condition resulting from ", re.IGNORECASE)
_if = re.compile(r"\b(?:if|when)\b", re.IGNORECASE)

_female = re.compile(r"\bfemale\b|\bmenopausal\b", re.IGNORECASE)
_male = re.compile(r"\bmale\b", re.IGNORECASE)
_maternal_only = re.compile(r"\bonly on (?:the )?maternal record", re.IGNORECASE)
_from_age = re.compile(r"(\w+) codes are for use for persons (\d{1,3}) years of age or older", re.IGNORECASE)
_between_ages = re.compile(r"(\w+) codes are for use for persons (\d{1,3})-(\d{1,3}) years of age", re.IGNORECASE)

Ages = Mapping[str, tuple[str, str | None]]  # a word of titles -> youngest and oldest age in years


class Mention(NamedTuple):
    """A code, or a range of codes, without dots; `narrowed`: words beside it say that not all of them are meant."""

    code: str
    through: str | None
    narrowed: bool


def mentions(note: str) -> Iterator[Mention]:
    """The codes that a note names: those in parentheses; only where there are none, those outside."""
    inside = [part for part in _parenthesis.findall(note) if _mention.search(part)]
    for part in inside:
        yield from _read(part, narrowed=bool(_joining.sub("", _mention.sub("", part))))
    if not inside:
        yield from _read(_vitamin.sub("", note), narrowed=bool(_narrowing.search(note)))


def _read(part: str, narrowed: bool) -> Iterator[Mention]:
    for first, through in _mention.findall(part):
        yield Mention(first.replace(".", ""), through.replace(".", "") or None, narrowed)


def always(first_note: str) -> bool:
    """Whether a code-first block holds in every case, by its first note: there is an underlying condition, no "if"."""
    return bool(_of_any_cause.match(first_note)) and not _if.search(first_note)


def depends(notes: str) -> bool:
    """Whether notes hold only in some cases."""
    return bool(_if.search(notes))


def sex_of_title(title: str) -> Literal["female", "male"] | None:
    """The one sex that a title names."""
    female, male = _female.search(title), _male.search(title)
    if bool(female) == bool(male):
        return None
    return "female" if female else "male"


def for_mothers_only(note: str) -> bool:
    """Whether codes are for the record of a mother only."""
    return bool(_maternal_only.search(note))


def ages_of(note: str) -> Ages:
    """For which ages are the codes whose title has a word ("adult codes are for use for persons 20 years of age …")."""
    from_age = {word.lower(): (age, None) for word, age in _from_age.findall(note)}
    return from_age | {word.lower(): (low, high) for word, low, high in _between_ages.findall(note)}
