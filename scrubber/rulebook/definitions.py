"""Reads the named conditions of packs: `definitions.yaml` says once what several rules mean by "office visit".

A definition is used by its name, `definition: office-visit`, and stands for its conditions wherever it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, validate

from scrubber.errors import Fault
from scrubber.rulebook.line_items import ITEMS
from scrubber.rulebook.schema import ID, MOST_CHARACTERS, known_keys
from scrubber.rulebook.vocabulary import KINDS
from scrubber.rulebook.yaml_file import Document, schema_faults

DEFINITIONS_FILE = "definitions.yaml"
DEFINITION = "definition"  # the key by which conditions use one
MOST_NESTED = 5  # definitions within each other
MOST_OF_A_PACK = 500
SUBJECTS = tuple(dict.fromkeys((*KINDS, *ITEMS)))


class Definition(NamedTuple):
    """A named condition: for facts and items of some kinds, what it means, and where it stands."""

    name: str
    about: str
    of: tuple[str, ...]
    means: Mapping[str, Any]
    document: Document
    pack: str

    def __repr__(self) -> str:
        return f"Definition({self.name!r})"


class DefinitionSchema(Schema):
    """A condition that several rules use by name."""

    about = fields.String(
        required=True,
        validate=validate.Length(1, MOST_CHARACTERS),
        metadata={"description": "What it stands for, in a sentence."},
    )
    of = fields.List(
        fields.String(validate=validate.OneOf(SUBJECTS, error="Must be one of: {choices}.")),
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "What it can be said of: kinds of facts, and items of relations."},
    )
    means = fields.Dict(
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "The conditions, as in `applies`; all of them hold."},
    )


_SCHEMA = DefinitionSchema()


def read_definitions(documents: Mapping[str, Document], faults: list[Fault]) -> dict[str, Definition]:
    """The definitions of all packs by name, from each pack's document; what is wrong is added to `faults`."""
    found: dict[str, Definition] = {}
    for pack, document in documents.items():
        if not isinstance(document.content, Mapping) or len(document.content) > MOST_OF_A_PACK:
            faults.append(document.fault((), f"must be a mapping of at most {MOST_OF_A_PACK} names to definitions"))
            continue
        for name, raw in document.content.items():
            definition = _read(str(name), raw, document, pack, faults)
            if definition is None:
                continue
            if definition.name in found:
                other = found[definition.name].document.file
                faults.append(document.fault((str(name),), f"`{name}` is defined in {other} too: choose another name"))
            else:
                found[definition.name] = definition
    return found


def _read(name: str, raw: object, document: Document, pack: str, faults: list[Fault]) -> Definition | None:
    if not re.fullmatch(ID, name):
        faults.append(document.fault((name,), f"`{name}` is no name: small letters, digits and single hyphens"))
        return None
    if not isinstance(raw, Mapping):
        faults.append(document.fault((name,), "must be a mapping with about, of and means"))
        return None
    try:
        content = _SCHEMA.load(raw)
    except ValidationError as error:
        faults += schema_faults(document, {name: error.messages}, lambda position: known_keys(_SCHEMA, position[1:]))
        return None
    return Definition(name, content["about"], tuple(content["of"]), content["means"], document, pack)


def definition_files(folder: Path) -> Iterator[Path]:
    """The definitions of each pack that has some."""
    return iter(sorted(folder.glob(f"*/{DEFINITIONS_FILE}")))
