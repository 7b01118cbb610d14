"""Beside the path: codes that no rule mentions: where they come from, and the table of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

from scrubber.cli.columns import columns
from scrubber.cli.opening import Unusable
from scrubber.cli.rules.coverage_tables import WIDTH
from scrubber.errors import NotAClaim, NotJson
from scrubber.intake import read_claim
from scrubber.rulebook.book import Rulebook
from scrubber.workshop.unmentioned import Unmentioned, general_rules


class ListedCodes(NamedTuple):
    """Codes, each with how many lines bill it where that is known; `asked`: somebody named the file."""

    what: str
    codes: Mapping[str, int | None]
    asked: bool


def listed_codes(file: str) -> dict[str, int | None]:
    """The codes of a text file: the first word of each line; what follows # is a comment."""
    words = (line.split("#")[0].replace(",", " ").split() for line in _lines(file))
    return {found[0].upper(): None for found in words if found}


def billed_codes(file: str) -> dict[str, int | None]:
    """The procedure codes of the claims of an NDJSON file, with how many lines bill each."""
    billed: Counter[str] = Counter()
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        try:
            claim = read_claim(line.encode())
        except (NotJson, NotAClaim):
            raise Unusable(f"{file}:{number} is no claim; `scrubber scrub` says why") from None
        billed.update(each.procedure for each in claim.lines if each.procedure)
    return dict(billed)


def _lines(file: str) -> Iterator[str]:
    try:
        with Path(file).open(encoding="utf-8-sig") as stream:
            yield from stream
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unusable(f"{file} is not UTF-8") from None


def codes_table(listed: ListedCodes, found: Sequence[Unmentioned], book: Rulebook) -> Iterator[str]:
    """How many of the codes no rule mentions; in full for a file that was named, else in a sentence."""
    of = f"{len(found):,} of {len(listed.codes):,} {listed.what} are mentioned by no rule"
    general = f"rules that name no code, and hold for all: {len(general_rules(book))}"
    if not listed.asked:
        codes = f": {' '.join(each.code for each in found)}" if found else ""
        yield from wrap(f"{of}{codes}. {general}.", WIDTH)
        return
    yield ""
    if found:
        header = ("code", "lines", "on the code tables", "PTP pairs", "MUE", "policies", "articles")
        yield from columns(header, found, frozenset((header[1], *header[3:])))
    yield f"{of}; {general}"


def codes_document(listed: ListedCodes, found: Sequence[Unmentioned], book: Rulebook) -> dict[str, Any]:
    """The same as JSON."""
    codes = [
        {
            "code": each.code,
            "lines": each.lines,
            "standing": each.standing,
            "ptpPairs": each.ptp_pairs,
            "mue": each.mue,
            "policies": each.policies,
            "articles": each.articles,
        }
        for each in found
    ]
    general = [rule.id for rule in general_rules(book)]
    return {"codes": {"of": listed.what, "asked": len(listed.codes), "unmentioned": codes}, "generalRules": general}
