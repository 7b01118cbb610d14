"""Finds texts that must not ship in a rule: the AMA's wording of CPT codes, and data of persons.

There is no list of descriptors here to compare with, so the wording is known by its looks: see `cpt_wording`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scrubber.errors import Fault
from scrubber.rulebook.cell_forms import is_npi
from scrubber.rulebook.yaml_file import Document, Position

USER_TEXTS = ("title", "message", "fix", "not-checked", "false-alarms")  # texts of a rule that users read
LEAST_DESCRIPTION_WORDS = 6  # a description that follows a code; shorter ones are names in general use

_CPT = re.compile(r"(?<![\w.{/-])(?:[0-9]{5}|[0-9]{4}[TFU])(?![\w/]|[-.][0-9])")
_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{20,})[\"”“»]")
_AFTER_CODE = re.compile(r"\s*(?:[:=(\[\u2013\u2014]|-(?=\s)|,(?=\s*[A-Z])|\bmeans\b|\bstands for\b)\s*([^.\n]+)")
_WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019-]*")
# A sentence about a claim has one of these words; a descriptor is a sequence of nouns.
_SAYING = re.compile(
    r"\{|\b(?:is|are|was|were|be|has|have|had|does|do|did|must|may|can|cannot|should|if|it|they|bills?|billed|states?|"
    r"stated|says?|stands?|needs?|names?|pays?|paid|take|taken|move|add|send|sent|ask|because)\b",
    re.IGNORECASE,
)
# Phrases of descriptors that nobody uses about a claim.
_STOCK = re.compile(
    r"list separately in addition to|\(separate procedure\)|each additional \w+ \(|, including .{3,80}, when performed|"
    r"1 or more (?:sites|views|areas|levels|sessions)|\(e\.?g\.?, [^)]{3,80}\),? .{0,40};|; (?:complete|limited|"
    r"initial|bilateral|unilateral|minimum of \w+ views)(?: study)?$",
    re.IGNORECASE,
)


_OF_THE_AMA = "reads like the AMA's wording of a CPT code, which may not be shipped: say it in words of your own"


def cpt_wording(document: Document) -> Iterator[Fault]:
    """Texts that look like the AMA's description of a CPT code, in any text of a file.

    Sees: a code followed by a colon, dash, comma or bracket and six or more words that make no sentence; a long
    quotation in a text that names a code; turns of phrase that only descriptors have. Does not see: a descriptor
    alone, without its code and without such a turn; one in other words.
    """
    for position, text in _texts(document.content, ()):
        if _looks_like_cpt(text):
            yield document.fault(position, _OF_THE_AMA)


def _texts(node: Any, position: Position) -> Iterator[tuple[Position, str]]:
    if isinstance(node, str):
        yield position, node
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _texts(item, (*position, index))
    elif isinstance(node, Mapping):
        for key, item in node.items():
            yield from _texts(item, (*position, key))


def _looks_like_cpt(text: str) -> bool:
    if len(text) < 20:
        return False
    if _STOCK.search(text):
        return True
    return any(_described(text[code.end() :]) for code in _CPT.finditer(text)) or (
        _CPT.search(text) is not None and any(_long(quoted[1]) for quoted in _QUOTED.finditer(text))
    )


def _described(after: str) -> bool:
    description = _AFTER_CODE.match(after)
    return description is not None and _long(description[1]) and not _SAYING.search(description[1])


def _long(text: str) -> bool:
    return len(_WORD.findall(text)) >= LEAST_DESCRIPTION_WORDS


_PERSONAL = re.compile(
    r"name|birth|dob|^age$|ssn|social|member|subscriber|patient(?!-)|npi|address|street|city|phone|account|email|"
    r"policy-?number|^id$|-id$|Id$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"(?<!\{)\{([a-zA-Z0-9-]+)\}")
_DAY = r"(?:[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2}|(?:19|20)[0-9]{6})"
_LITERALS: Mapping[str, re.Pattern[str]] = {
    "a social security number": re.compile(r"(?<![\w-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])"),
    "a Medicare number": re.compile(
        r"(?<!\w)[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?"
        r"[AC-HJKMNP-RT-Y]{2}[0-9]{2}(?!\w)"
    ),
    "a birth date": re.compile(rf"\b(?:born|birth|birthday|dob)\b.{{0,20}}?{_DAY}", re.IGNORECASE),
    "a date written as people's dates are": re.compile(r"(?<![\w/])[0-9]{1,2}/[0-9]{1,2}/(?:19|20)[0-9]{2}(?![\w/])"),
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
}
_TEN_DIGITS = re.compile(r"(?<![\w-])[12][0-9]{9}(?![\w-])")


def personal_data(document: Document) -> Iterator[Fault]:
    """Names of facts that would print who the patient is, and numbers and dates of persons, in the texts of a rule."""
    content = document.content if isinstance(document.content, Mapping) else {}
    for key in USER_TEXTS:
        text = content.get(key)
        if isinstance(text, str):
            yield from (document.fault((key,), message) for message in _of_persons(text))
    owner = content.get("owner")
    if isinstance(owner, str) and "@" in owner:
        yield document.fault(("owner",), "an owner is a role, such as `coding policy`, and never a person")


def names_of_persons(document: Document) -> Iterator[Fault]:
    """The same in the names of test cases."""
    for index, case in enumerate(document.content if isinstance(document.content, list) else ()):
        name = case.get("name") if isinstance(case, Mapping) else None
        if isinstance(name, str):
            yield from (document.fault((index, "name"), message) for message in _of_persons(name))


def _of_persons(text: str) -> Iterator[str]:
    for found in _PLACEHOLDER.finditer(text):
        if _PERSONAL.search(found[1]):
            yield f"{{{found[1]}}} would print data of a person: a message holds codes, dates of service and amounts"
    for what, pattern in _LITERALS.items():
        if pattern.search(text):
            yield f"holds {what}: data of persons stays out of rules (dates of service are written 2025-03-12)"
    if any(is_npi(found[0]) for found in _TEN_DIGITS.finditer(text)):
        yield "holds an NPI: data of persons stays out of rules"
