"""Beside the path, for lint: codes without quotes, and limits and long lists of codes that belong in dated tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from scrubber.errors import Fault
from scrubber.rulebook.conditions import LIST_WORDS, ORDER_WORDS
from scrubber.rulebook.yaml_file import Document, Place
from scrubber.vocabulary import KINDS, Field, Type

MOST_CODES = 12  # of one list that stands in a rule

_CODED = (Type.TEXT, Type.CODES)
_CODE_KEYS = {"carc", "rarc", "category", "code"}
# Ends of the paths and columns of a test case that hold codes and identifiers; amounts and counts are numbers.
_CODE_NAMES = {
    "procedure", "modifiers", "place", "diagnoses", "code", "qualifier", "ndc", "taxonomy", "npi", "rendering-npi",
    "ordering-npi", "zip", "tax-id", "member-id", "payer-id", "filing", "frequency", "through", "payer_id",
    "contractor", "filing_indicator",
}  # fmt: skip


def unquoted_in_rule(document: Document) -> Iterator[Fault]:
    """Codes of a rule that other readers of YAML take for something else: 0450 is 296 to them, NO is false."""
    for place in sorted(document.misread, key=str):
        if _holds_code(document, place):
            yield _unquoted(document, place)


def unquoted_in_cases(document: Document) -> Iterator[Fault]:
    """The same for the changes, lines and table rows of test cases."""
    for place in sorted(document.misread, key=str):
        if len(place) > 1 and place[1] in ("change", "lines", "tables") and _case_name(place) in _CODE_NAMES:
            yield _unquoted(document, place)


def _unquoted(document: Document, place: Place) -> Fault:
    text = document.at(place)
    return document.fault(place, f'a code stands in quotes: write "{text}", or other programs read something else')


def _case_name(place: Place) -> str:
    names = [part for part in place if isinstance(part, str)]
    return names[-1].rpartition(".")[2]


def _holds_code(document: Document, place: Place) -> bool:
    if place[:1] in (("reason",), ("claim-status",)):
        return any(part in _CODE_KEYS for part in place)
    field = field_at(document, place)
    return field is not None and field.type in _CODED


def field_at(document: Document, place: Place) -> Field | None:
    """The fact that a value under `applies` or `when` speaks of."""
    scope = document.content.get("scope") if isinstance(document.content, Mapping) else None
    kind = KINDS.get(scope) if isinstance(scope, str) else None
    if kind is None or len(place) < 2:
        return None
    if place[0] == "applies":
        return kind.fields.get(str(place[1]))
    if place[0] not in ("when", "bypassed") or place[-1] == "fact":
        return None
    leaf = document.at(place[:-2] if isinstance(place[-1], int) else place[:-1])
    return kind.fields.get(str(leaf.get("fact"))) if isinstance(leaf, Mapping) else None


def table_matters(document: Document) -> Iterator[Fault]:
    """Limits and long lists change with dates, and so belong in a dated table; 0 and 1 are no limits."""
    for place in document.lines:
        if len(place) < 2 or place[0] not in ("applies", "when", "bypassed"):
            continue
        if place[-1] in ORDER_WORDS and not _no_limit(document.at(place)):
            told = "a limit belongs in a dated table (limits), not in the rule: name it"
            yield document.fault(place, f"{told} with `{place[-1]}: {{limit: NAME}}`")
        if place[-1] in LIST_WORDS and _codes(document.at(place)) > MOST_CODES:
            named = f"more than {MOST_CODES} codes belong in a dated table (code-lists), not in the rule"
            yield document.fault(place, f"{named}: name the list with `{place[-1]}-in`")


def _codes(values: object) -> int:
    """How many codes a list holds; conditions are none."""
    return sum(isinstance(value, str) for value in values) if isinstance(values, list) else 0


def _no_limit(value: object) -> bool:
    try:
        return not isinstance(value, str) or Decimal(value) in (0, 1)
    except InvalidOperation:
        return True  # the loader tells that it is no number
