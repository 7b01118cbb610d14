"""Before any claim: whether the paragraph of an article's group only names codes, or says when the group applies.

Most published paragraphs name: "The following ICD-10-CM codes support medical necessity for CPT code 77080". Their
grammar is closed: codes, ranges, groups of procedures, and the words below, in any order. Whatever holds anything else
is a condition, which only a reader of the article can judge.
"""

from __future__ import annotations

import html
import re
from typing import Literal, NamedTuple

from scrubber.reference.coverage import shape

GroupTest = Literal["procedure", "covered", "excluded"]

NOTHING = ("", "N/A", "NA", "NONE")
WORDS = frozenset((
    "a", "and", "any", "are", "as", "below", "billing", "code", "codes", "considered", "coverage", "covered", "cpt",
    "diagnoses", "diagnosis", "following", "follows", "for", "hcpcs", "icd", "ii", "indicate", "indicates", "is",
    "level", "list", "listed", "medical", "medically", "necessary", "necessity", "of", "or", "paragraph",
    "procedure", "procedures", "provide", "provided", "provides", "reasonable", "support", "supported",
    "supporting", "supports", "that", "the", "these", "this", "to", "which",
))  # fmt: skip
DENYING = frozenset(("not", "non", "noncovered"))
OF_EXCLUDED = WORDS | DENYING | {"do", "does"}
SPEAKING_FOR = frozenset((
    "considered", "coverage", "covered", "necessary", "provide", "provided", "provides", "support", "supports",
))  # fmt: skip

_CODE = r"[0-9]{4}[0-9AFMTU]|[A-Z][0-9]{4}"
_PROCEDURES = r"(?:CPT|HCPCS|procedures?)(?:[\s/,&]*(?:and|or)?[\s/]*(?:CPT|HCPCS|procedures?))*(?:\s+codes?)?"
_tag = re.compile(r"<[^>]*>|\(s\)")
_named = re.compile(rf"\b({_CODE})\b(?:\s*(?:[-\u2013]|through|to)\s*({_CODE})\b)?")
_classification = re.compile(r"\bICD[- ]?10(?:[- ]?CM)?\b", re.IGNORECASE)
_heading = re.compile(r"group\s*([0-9]{1,3})(?:\s+paragraph|\s+codes?)?\s*(?::|$)", re.IGNORECASE)
_procedure_group = re.compile(
    rf"\b{_PROCEDURES}\s+(?:listed\s+)?(?:in|from)\s+group\s*([0-9]{{1,3}})\b|\bgroup\s*([0-9]{{1,3}})\s+{_PROCEDURES}\b",
    re.IGNORECASE,
)
_parting = re.compile(r"[\s.,:;()/&\u2013-]+")


class Paragraph(NamedTuple):
    """`worded`: it says more than names. `names`: procedure codes, ranges FIRST-LAST, and `group-2` of procedures."""

    worded: bool
    names: tuple[str, ...]


def read_paragraph(paragraph: str, test: GroupTest, group: str) -> Paragraph:
    """What the paragraph (HTML) of a group says; `group` is that group's own number."""
    text = " ".join(html.unescape(_tag.sub(" ", paragraph)).split())
    if text.strip(" .").upper() in NOTHING:
        return Paragraph(False, ())
    rest = _procedure_group.sub(" ", _classification.sub(" ", _without_heading(text, group)))
    ranges = [(first, last or first) for first, last in _named.findall(rest)]
    groups = [f"group-{one or other}" for one, other in _procedure_group.findall(text)]
    names = ["-".join(dict.fromkeys(codes)) for codes in ranges]
    known = _only_known_words(_named.sub(" ", rest), test) and all(_is_range(*codes) for codes in ranges)
    own_only = test != "procedure" or set(groups) <= {f"group-{group}"}
    return Paragraph(not (known and own_only), tuple(dict.fromkeys(names + groups)))


def _is_range(first: str, last: str) -> bool:
    """Whether codes run from the one to the other: 0554T to 0557T do, 77080 to G0130 do not."""
    return shape(first) == shape(last) and first <= last


def _without_heading(text: str, group: str) -> str:
    """The text behind "Group 1:", where that is the group's own number."""
    found = _heading.match(text)
    return text[found.end() :] if found and found[1] == group else text


def _only_known_words(text: str, test: GroupTest) -> bool:
    words = {word.lower() for word in _parting.split(text) if word}
    if test != "excluded":
        return words <= WORDS
    return words <= OF_EXCLUDED and (not words & SPEAKING_FOR or bool(words & DENYING))
