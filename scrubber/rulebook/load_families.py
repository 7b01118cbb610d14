"""Loads the families of documentation of a folder of rules, and checks them against one another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from marshmallow import ValidationError

from scrubber.errors import Fault, Faults
from scrubber.rulebook.conditions import applies_condition, rule_frame, when_condition
from scrubber.rulebook.family import (
    DERIVED,
    NO_NUMBER,
    OBJECT,
    SEVERAL_NUMBERS,
    SIGNATURE,
    SIGNATURE_PARTS,
    STATES,
    TYPES,
    DerivedWord,
    DocumentElement,
    Family,
)
from scrubber.rulebook.family_rules import FOLDER, OUTSIDE
from scrubber.rulebook.field import Field, Type
from scrubber.rulebook.limits import limit_name
from scrubber.rulebook.names import Known, NameScope, TypingContext
from scrubber.rulebook.schema import FamilyFileSchema, known_keys
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import Document, Position, read_yaml, schema_faults

SUMMED = ("number", "minutes")
MOST_FAMILIES = 500  # of a folder of rules
_SCHEMA = FamilyFileSchema()


class LoadedFamilies(NamedTuple):
    """The families of a folder without faults, with the documents that they were read from."""

    families: list[Family]
    documents: list[Document]
    earlier: set[str]  # files for which ours of an earlier time stand


def family_files(folder: Path) -> list[Path]:
    """Every file of a family below a folder of rules, in a fixed order."""
    return sorted(path for path in folder.glob(f"*/{FOLDER}/*.yaml") if not path.name.endswith(".test.yaml"))


def load_families(folder: Path, faults: list[Fault]) -> LoadedFamilies:
    """The families of a folder of rules; what is wrong with their files is added to `faults`."""
    paths = family_files(folder)
    if len(paths) > MOST_FAMILIES:
        faults.append(Fault(folder.name, 0, f"{len(paths)} families; at most {MOST_FAMILIES} can be loaded"))
        return LoadedFamilies([], [], set())
    found = LoadedFamilies([], [], set())
    for path in paths:
        try:
            document = read_yaml(path, path.relative_to(folder).as_posix())
            found.families.append(_family(document))
            found.documents.append(document)
        except Faults as error:
            faults += error.faults
    return found


EARLIER = Path(__file__).parent / "earlier"
EARLIER_PACK = "documentation"


@lru_cache(1)
def _earlier_document() -> Document:
    (path,) = EARLIER.glob("*-score.yaml")
    return read_yaml(path, f"{EARLIER_PACK}/{FOLDER}/{path.name}")


def add_earlier(found: LoadedFamilies, lists: Collection[str]) -> None:
    """What the program read by itself before families derived words, for rulebooks of that time, as of an archive.

    It stands where the rulebook has the list of the codes, and no family of the name that derives any word.
    """
    document = _earlier_document()
    name = document.content["family"]
    at = next((index for index, family in enumerate(found.families) if family.name == name), None)
    if document.content["list"] not in lists:
        return
    if at is not None:
        if any(element.get("first-of") for element in found.documents[at].content["elements"].values()):
            return
        del found.families[at], found.documents[at]
    found.families.append(_family(document))
    found.documents.append(document)
    found.earlier.add(document.file)


def _family(document: Document) -> Family:
    """The family in a document. Raises Faults."""
    try:
        content = _SCHEMA.load(document.content)
    except ValidationError as error:
        raise Faults([*schema_faults(document, error.messages, partial(known_keys, _SCHEMA))]) from None
    faults = [document.fault(position, message) for position, message in _contradictions(document, content)]
    if faults:
        raise Faults(faults)
    return Family(
        content["family"],
        document.file.split("/", 1)[0],
        document.file,
        content["title"],
        tuple(content["codes"]),
        content.get("list"),
        {element.name: element for element in _elements(document, content)},
    )


def _contradictions(document: Document, content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    if content["family"] != (stem := Path(document.file).stem):
        yield ("family",), f"must be the file's name, {stem}"
    if bool(content["codes"]) == ("list" in content):
        yield ("family",), "is about the codes of a `list` or about `codes`, one of the two"
    for name, element in content["elements"].items():
        position = ("elements", name)
        if (element["type"] == "word") != bool(element["words"]):
            yield position, f"{name}: `words` are those that a `type: word` may be, and of no other type"
        faults = [*_limit_faults(element), *_derived_faults(element)]
        yield from ((position, f"{name}: {message}") for message in faults)
        if element["type"] == SIGNATURE:
            parts = [part for part in SIGNATURE_PARTS if f"{name}.{part}" in content["elements"]]
            if parts:
                yield position, f"{name}: a signature has {', '.join(parts)} already: leave that out"
            if element["several"]:
                yield position, f"{name}: there is one signature"


def _derived_faults(element: Mapping[str, Any]) -> Iterator[str]:
    if (element["type"] == OBJECT) != ("main" in element):
        yield "an object needs its `main` member, and nothing else has one"
    if "picks" in element and element["type"] != "text":
        yield "`picks` is of a text"
    if element["type"] == DERIVED and not element["first_of"]:
        yield "what is derived needs `first-of`"
    if not element["first_of"] and ("only_where" in element or "otherwise" in element):
        yield "`only-where` and `otherwise` go with `first-of`"


def _limit_faults(element: Mapping[str, Any]) -> Iterator[str]:
    limits = {key.replace("_", "-"): value for key, value in (element.get("limits") or {}).items()}
    if not limits:
        if any(OUTSIDE in rule["when"] for rule in element["rules"] if isinstance(rule.get("when"), str | list)):
            yield f"`{OUTSIDE}` needs `limits`"
        return
    if element["type"] not in SUMMED:
        yield f"`limits` are of {' and '.join(SUMMED)}"
        return
    bounds: dict[str, Decimal] = {}
    for key, value in limits.items():
        try:
            if limit_name(value) is None:
                bounds[key] = Decimal(str(value))
        except (ValueError, ArithmeticError):
            yield f"the limit `{key}` needs a number, or the name of a limit: {{limit: NAME}}"
    low = max([bounds[key] for key in ("over", "at-least") if key in bounds], default=None)
    high = min([bounds[key] for key in ("under", "at-most") if key in bounds], default=None)
    if low is not None and high is not None and (low > high or (low == high and {"over", "under"} & bounds.keys())):
        yield f"no number lies between the limits {low} and {high}"


def _elements(document: Document, content: Mapping[str, Any]) -> Iterator[DocumentElement]:
    for name, stated in content["elements"].items():
        if stated["type"] == DERIVED:
            continue
        line = document.line(("elements", name))
        yield _element(name, stated, content["family"], document.file, line)
        if stated["type"] == SIGNATURE:
            for part, (kind, about) in SIGNATURE_PARTS.items():
                further: dict[str, Any] = {**stated, "type": kind, "about": f"{about}: {stated['about']}", "absent": []}
                yield _element(f"{name}.{part}", further, content["family"], document.file, line)


def _element(name: str, stated: Mapping[str, Any], family: str, file: str, line: int) -> DocumentElement:
    kind, several = stated["type"], stated["several"]
    summed = kind in SUMMED
    return DocumentElement(
        name,
        kind,
        Field(
            name,
            TYPES[kind] if summed or not several else Type.CODES,
            stated["about"],
            tuple(stated["words"]) if not several else (),
            (*STATES, NO_NUMBER, SEVERAL_NUMBERS) if kind == "number" else STATES,
            private=kind != "word",
        ),
        tuple(stated["words"]),
        frozenset(text.strip().casefold() for text in stated["absent"]),
        several,
        family,
        file,
        line,
        stated.get("main"),
        stated.get("picks"),
    )


def check_families(loaded: LoadedFamilies, lists: Collection[str] | None) -> Iterator[Fault]:
    """Families of one name, elements that two families declare differently, and lists that there are not.

    `lists`: those of all tables; None where they are not known.
    """
    names: dict[str, str] = {}
    elements: dict[str, DocumentElement] = {}
    words: dict[str, str] = {}
    for family, document in zip(loaded.families, loaded.documents, strict=True):
        first = names.setdefault(family.name, family.file)
        if first != family.file:
            yield document.fault(("family",), f"the family {family.name} is in {first} already")
        if lists is not None and family.code_list is not None and family.code_list not in lists:
            yield document.fault(("list",), f"there is no code list `{family.code_list}` in any tables/*.csv")
        for name, stated in document.content["elements"].items():
            at = f"{document.file}:{document.line(('elements', name))}"
            if stated.get("first-of") and words.setdefault(name, at) != at:
                yield document.fault(("elements", name), f"{name} is derived in {words[name]} already")
        for element in family.elements.values():
            other = elements.setdefault(element.name, element)
            if other.meaning != element.meaning:
                at = f"{other.file}:{other.line}"
                yield Fault(element.file, element.line, f"{element.name} is declared differently in {at}")


def derived_fields(loaded: LoadedFamilies) -> dict[str, Field]:
    """The words that follow from elements, as rules read them, by name."""
    found: dict[str, Field] = {}
    for document in loaded.documents:
        for name, element in document.content["elements"].items():
            if element.get("first-of"):
                known = dict.fromkeys([each["is"] for each in element["first-of"]])
                if element.get("otherwise"):
                    known[element["otherwise"]] = None
                words = tuple(word for word in known if word not in STATES)
                states = tuple(word for word in known if word in STATES)
                place = element.get("points-to", "")
                kind = Type.FLAG if {*words} <= {"yes", "no"} else Type.WORD
                words = words if kind is Type.WORD else ()
                found[name] = Field(name, kind, element["about"], words, states, made_from=place)
    return found


def with_derived(loaded: LoadedFamilies, known: Known, faults: list[Fault]) -> list[Family]:
    """The families with their derived words, whose conditions may name what is `known`."""
    frame = replace(rule_frame(KINDS["document"], known), fields={**known.documents, **KINDS["document"].fields})
    return [
        replace(
            family, derived=tuple(_derived(document, known, frame, faults, earlier=document.file in loaded.earlier))
        )
        for family, document in zip(loaded.families, loaded.documents, strict=True)
    ]


def _derived(
    document: Document, known: Known, frame: NameScope, faults: list[Fault], *, earlier: bool
) -> Iterator[DerivedWord]:
    def report(position: Position, message: str) -> None:
        if not earlier:  # a list or table that the rulebook does not have is no fault of it
            faults.append(document.fault(position, message))

    context = TypingContext(frame, report)
    for name, element in document.content["elements"].items():
        if name not in known.derived or not element.get("first-of"):
            continue
        at: Position = ("elements", name)
        only = element.get("only-where")
        yield DerivedWord(
            known.derived[name],
            None if only is None else applies_condition(only, (*at, "only-where"), context),
            tuple(
                (case["is"], when_condition(case["when"], (*at, "first-of", index, "when"), context))
                for index, case in enumerate(element["first-of"])
            ),
            element.get("otherwise"),
        )
