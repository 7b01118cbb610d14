"""Reads ICD-10-CM code lists and the notes of the tabular list; descriptions are dropped.

The notes of the tabular list are written for people. Codes in parentheses and a few set phrases are read from them;
anything else that a note says makes it conditional, so that no rule takes its codes for all that it says.

Notes of chapters and blocks are copied to each of their categories, so that everything that holds for a code is found
at the code or at one of its leading parts. The file is read by expat as a stream. A document type, which could define
entities, is refused, as are depths and lengths that no tabular list has.

The code list has the billable codes; the leading parts of these codes are headers, which are not billable. The order
file states both, each with a flag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import islice, takewhile
from pathlib import PurePosixPath
from typing import Literal, NamedTuple
from xml.parsers import expat

from scrubber.errors import Fault, Faults
from scrubber.reference.load.format import BadRow, Format, SourceFile, StatedRelease
from scrubber.reference.load.text_rows import BadCell, fixed_lines, matching
from scrubber.reference.rows import BillableDiagnosis, DiagnosisHeader, DiagnosisNote, DiagnosisNoteKind

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
    """A code, or a range of codes, without dots; `narrowed`: words beside it say that not all of these are meant."""

    code: str
    through: str | None
    narrowed: bool


def mentions(note: str) -> Iterator[Mention]:
    """The codes that a note names: those in parentheses; only where there are none, those outside."""
    inside = [text for text in _parenthesis.findall(note) if _mention.search(text)]
    for text in inside:
        yield from _mentions_in(text, narrowed=bool(_joining.sub("", _mention.sub("", text))))
    if not inside:
        yield from _mentions_in(_vitamin.sub("", note), narrowed=bool(_narrowing.search(note)))


def _mentions_in(text: str, narrowed: bool) -> Iterator[Mention]:
    for first, through in _mention.findall(text):
        yield Mention(first.replace(".", ""), through.replace(".", "") or None, narrowed)


def holds_always(first_note: str) -> bool:
    """Whether a code-first block holds in every case, by its first note: there is an underlying condition, no "if"."""
    return bool(_of_any_cause.match(first_note)) and not _if.search(first_note)


def is_conditional(notes: str) -> bool:
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
    """Ages by the word of a title ("adult codes are for use for persons 20 years of age …"), in years."""
    from_age = {word.lower(): (age, None) for word, age in _from_age.findall(note)}
    return from_age | {word.lower(): (low, high) for word, low, high in _between_ages.findall(note)}


SOURCE = "CDC ICD-10-CM"
CHUNK = 64 * 1024  # bytes handed to expat at a time
DEEPEST = 32  # elements
LONGEST_TEXT = 50_000  # characters of one note
ELEMENTS_WITH_NOTES = ("chapter", "section", "diag")
TEXTS = ("note", "name", "desc")
EXCLUDES: Mapping[str, DiagnosisNoteKind] = {"excludes1": "excludes1", "excludes2": "excludes2"}
SEQUENCES: Mapping[str, DiagnosisNoteKind] = {
    "codeFirst": "code-first",
    "useAdditionalCode": "use-additional",
    "codeAlso": "code-also",
}
EXTERNAL_CAUSES = tuple("VWXY")  # their titles name the sex of somebody else, such as a perpetrator
_code = re.compile(r"[A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9])(?:\.[0-9A-Z]{1,4})?").fullmatch
_version = re.compile(rb"<version>\s*(20[0-9]{2})\s*</version>").search
_year_in_name = re.compile(r"20[0-9]{2}").search
_april = re.compile(r"apr", re.IGNORECASE).search


@dataclass
class _OpenElement:
    """A chapter, block or code whose element is open. Only a code has `code`; notes of the others wait in `found`."""

    tag: str
    code: str = ""
    found: list[DiagnosisNote] = field(default_factory=list)
    ages: dict[str, tuple[str, str | None]] = field(default_factory=dict)


class _UnsafeXml(Exception):
    """Stops the reading at once: the file could exhaust memory or time."""


class _Tabular:
    """Handles the elements of the tabular list as expat reads them; `ready` holds the rows that are complete."""

    def __init__(self) -> None:
        self.ready: list[DiagnosisNote | BadRow] = []
        self._path: list[str] = []
        self._open: list[_OpenElement] = []
        self._text: list[str] = []
        self._length = 0
        self._block: list[str] = []
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, chunk: bytes) -> None:
        """Parse the next bytes; an empty chunk ends the file. Raises _UnsafeXml, and ExpatError for what is no XML."""
        self._parser.Parse(chunk, not chunk)

    @property
    def line(self) -> int:
        """The number of the line that is being read."""
        return self._parser.CurrentLineNumber

    def _doctype(self, *_: object) -> None:
        raise _UnsafeXml("has a document type, which no tabular list has: it could define entities without end")

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._path.append(tag)
        if len(self._path) > DEEPEST:
            raise _UnsafeXml(f"has elements within elements over {DEEPEST} deep, which no tabular list has")
        self._text, self._length = [], 0
        if tag in ELEMENTS_WITH_NOTES:
            self._open.append(_OpenElement(tag))
        elif tag in EXCLUDES or tag in SEQUENCES or tag == "notes":
            self._block = []
        elif tag == "extension":
            self._add_note("seventh-character", attributes.get("char"), None, False)

    def _characters(self, text: str) -> None:
        if self._path[-1] not in TEXTS:
            return
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise _UnsafeXml(f"has a text of over {LONGEST_TEXT} characters, which no tabular list has")
        self._text.append(text)

    def _end(self, tag: str) -> None:
        self._path.pop()
        text = " ".join("".join(self._text).split())
        if tag == "note":
            self._block.append(text)
        elif tag == "name" and self._path[-1:] == ["diag"]:
            self._set_code(text)
        elif tag == "desc" and self._open and self._path[-1] in ELEMENTS_WITH_NOTES:
            self._read_title(text)
        elif tag in ELEMENTS_WITH_NOTES:
            self._open.pop()
        else:
            self._end_block(tag)

    def _end_block(self, tag: str) -> None:
        if tag in EXCLUDES:
            self._add_codes_of_block(EXCLUDES[tag], False)
        elif tag in SEQUENCES:
            text = " ".join(self._block)
            conditional = not holds_always(text) if tag == "codeFirst" else is_conditional(text)
            self._add_codes_of_block(SEQUENCES[tag], conditional, or_none=True)
        elif tag == "notes" and self._open:
            self._read_notes(" ".join(self._block))

    def _set_code(self, text: str) -> None:
        if not _code(text):
            self.ready.append(BadRow(self.line, "name", "expected a code such as M81 or M81.0"))
            return
        self._open[-1].code = text.replace(".", "")
        if self._open[-2:-1] and self._open[-2].tag != "diag":  # a category: what holds for its block holds here
            above = takewhile(lambda element: element.tag != "diag", self._open)
            self.ready += [note._replace(code=self._open[-1].code) for element in above for note in element.found]

    def _read_title(self, text: str) -> None:
        sex = sex_of_title(text)
        if sex and not self._open[-1].code.startswith(EXTERNAL_CAUSES):
            self._add_note("sex", sex, None, False)
        words = set(re.findall(r"\w+", text.lower()))
        for element in self._open:
            for word, (youngest, oldest) in element.ages.items():
                if word in words:
                    self._add_note("age", youngest, oldest, False)

    def _read_notes(self, text: str) -> None:
        if for_mothers_only(text):
            self._add_note("sex", "female", None, False)
        self._open[-1].ages |= ages_of(text)

    def _add_codes_of_block(self, kind: DiagnosisNoteKind, conditional: bool, or_none: bool = False) -> None:
        named = dict.fromkeys(mention for note in self._block for mention in mentions(note))
        for mention in named:
            self._add_note(kind, mention.code, mention.through, conditional or mention.narrowed)
        if or_none and not named:
            self._add_note(kind, None, None, conditional)

    def _add_note(self, kind: DiagnosisNoteKind, other: str | None, through: str | None, conditional: bool) -> None:
        if not self._open:
            return
        element = self._open[-1]
        if element.tag == "diag" and not element.code:  # its name gave a BadRow
            return
        note = DiagnosisNote(element.code, kind, other, through, conditional, None, None, SOURCE)
        if element.tag == "diag":
            self.ready.append(note)
        else:
            element.found.append(note)


def _read(source: SourceFile) -> Iterator[NamedTuple]:
    """Raises Faults for what is no XML, or no XML that is safe to read."""
    tabular = _Tabular()
    with closing(source.binary()) as stream:
        more = True
        while more:
            chunk = stream.read(CHUNK)
            more = bool(chunk)
            try:
                tabular.feed(chunk)
            except _UnsafeXml as reason:
                raise Faults([Fault(source.name, tabular.line, str(reason))]) from None
            except expat.ExpatError as error:
                raise Faults([Fault(source.name, error.lineno, "is no well-formed XML from here on")]) from None
            yield from tabular.ready
            tabular.ready.clear()


def _recognise(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and b"<ICD10CM.tabular" in head


def _stated_of_tabular(source: SourceFile) -> StatedRelease:
    with closing(source.binary()) as stream:
        version = _version(stream.read(CHUNK))
    return fiscal_year(source.name, int(version[1]) if version else None)


def fiscal_year(name: str, year: int | None) -> StatedRelease:
    """The release of a file by its published name (icd10cm_codes_2026.txt, …-April-1-2026.txt) and the year it states.

    Fiscal year 2026 runs from 2025-10-01; the April update of it from 2026-04-01.
    """
    published = PurePosixPath(name.replace("\\", "/").rsplit("!", 1)[-1]).name
    named = _year_in_name(published)
    if year is None and named:
        year = int(named[0])
    if year is None:
        return StatedRelease()
    if _april(published):
        return StatedRelease(f"FY{year}-April", date(year, 4, 1), date(year, 10, 1))
    return StatedRelease(f"FY{year}", date(year - 1, 10, 1), date(year, 10, 1))


TABULAR_FORMAT = Format("icd10cm", "ICD-10-CM tabular list (XML)", _recognise, _stated_of_tabular, _read)


CATEGORY = 3  # characters; no header is shorter
LINES_LOOKED_AT = 50
CODE = re.compile(
    r"[A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9])[0-9A-Z]{0,4}"
)  # QA0: since 2026 the second character may be a letter
EXPECTED = "a code of 3 to 7 characters in columns {}, without its dot"
_code_line = re.compile(CODE.pattern.encode() + rb" *( .*)?").fullmatch
_order_line = re.compile(rb"[0-9]{5} " + CODE.pattern.encode() + rb" {1,5}[01]( .*)?").fullmatch


def _codes(source: SourceFile) -> Iterator[NamedTuple]:
    """A BillableDiagnosis for each line, after a DiagnosisHeader for each leading part that is new."""
    previous = ""
    for row in fixed_lines(source, _listed):
        if isinstance(row, BillableDiagnosis):
            yield from _headers(row.code, previous)
            previous = row.code
        yield row


def _headers(code: str, previous: str) -> Iterator[DiagnosisHeader]:
    for length in range(CATEGORY, len(code)):
        if code[:length] != previous[:length]:
            yield DiagnosisHeader(code[:length], None, None, SOURCE)


def _listed(cells: Sequence[str]) -> BillableDiagnosis:
    (line,) = cells
    if line[7:8].strip():
        raise BadCell("code", "expected a blank in column 8")
    return BillableDiagnosis(matching(line[:7].rstrip(), CODE, "code", EXPECTED.format("1-7")), None, None, SOURCE)


def _order(source: SourceFile) -> Iterator[NamedTuple]:
    return fixed_lines(source, _ordered)


def _ordered(cells: Sequence[str]) -> BillableDiagnosis | DiagnosisHeader:
    (line,) = cells
    code = matching(line[6:13].rstrip(), CODE, "code", EXPECTED.format("7-13"))
    if line[14:15] not in ("0", "1"):
        raise BadCell("valid flag", "expected 0 or 1 in column 15")
    kind = BillableDiagnosis if line[14] == "1" else DiagnosisHeader
    return kind(code, None, None, SOURCE)


def _all_lines(fits: Callable[[bytes], object]) -> Callable[[bytes], bool]:
    """Recognises a file whose first whole lines all fit."""

    def recognise(head: bytes) -> bool:
        text = head.splitlines() if head.endswith(b"\n") else head.splitlines()[:-1] or [head]
        lines = list(islice((line for line in text if line.strip()), LINES_LOOKED_AT))
        return bool(lines) and all(fits(line) for line in lines)

    return recognise


def _stated(source: SourceFile) -> StatedRelease:
    """Only the name that the file is published under tells its year."""
    return fiscal_year(source.name, None)


FORMATS = (
    Format("icd10cm", "ICD-10-CM code list", _all_lines(_code_line), _stated, _codes),
    Format("icd10cm", "ICD-10-CM order file", _all_lines(_order_line), _stated, _order),
    TABULAR_FORMAT,
)
