"""Generates the JSON Schemas by which editors check rule files and tests, from our schemas and the vocabulary."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields, validate

from scrubber.claim.elements import CATALOGUE
from scrubber.rulebook.column_types import COLUMN_TYPES
from scrubber.rulebook.definitions import DefinitionSchema
from scrubber.rulebook.field import Field, Type, with_hyphens
from scrubber.rulebook.limits import LIMIT_KEY
from scrubber.rulebook.operators import (
    DAY_OPERATORS,
    IN_LIST_OPERATORS,
    LIST_OPERATORS,
    LISTED,
    MULTIPLES,
    OPERATORS,
    ORDER_OPERATORS,
    ORDERED,
    SHAPES,
    UNLESS_KNOWN,
)
from scrubber.rulebook.relation_schema import relation_definitions
from scrubber.rulebook.remedy_schema import NamedValueField
from scrubber.rulebook.rule_tables import ROW_TYPES
from scrubber.rulebook.schema import (
    ID,
    DayField,
    FamilyFileSchema,
    FromRowField,
    PackFileSchema,
    RuleYamlSchema,
    TableKindField,
    YesNoField,
)
from scrubber.rulebook.table_case import AnswersField, TableCaseSchema
from scrubber.rulebook.table_declaration import ColumnField
from scrubber.rulebook.test_case import CaseSchema
from scrubber.rulebook.test_case_paths import DIAGNOSIS_PATH, DOCUMENT_PATH, LINE_FIELDS, LINE_PATH, PATHS, POINTER
from scrubber.rulebook.vocabulary import KINDS, FactKind

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RULE_SCHEMA_FILE = "rule.schema.json"
CASE_SCHEMA_FILE = "rule-test.schema.json"
PACK_SCHEMA_FILE = "pack.schema.json"
TABLE_CASE_SCHEMA_FILE = "table-test.schema.json"
FAMILY_SCHEMA_FILE = "family.schema.json"
DEFINITIONS_SCHEMA_FILE = "definitions.schema.json"

# An editor reads 77092 as a number and yes as a word or a boolean; our loader reads all of them as text.
_SCALAR: JsonSchema = {"type": ["string", "number", "boolean"]}

_LIMIT: JsonSchema = {
    "description": "A limit of a table: the row in force on the fact's day.",
    "type": "object",
    "additionalProperties": False,
    "properties": {LIMIT_KEY: {"type": "string", "minLength": 1}},
    "required": [LIMIT_KEY],
}


_FACT: JsonSchema = {
    "description": "The value of another fact, amount or column of a look-up.",
    "type": "object",
    "additionalProperties": False,
    "properties": {"fact": {"type": "string", "minLength": 1}},
    "required": ["fact"],
}
_NAME: JsonSchema = {"type": "string", "minLength": 1}
_NAMED = r"^[a-z][A-Za-z0-9-]*\.[A-Za-z0-9_-]+$"  # claim.X, document.X, a column of a look-up
_OTHER_NAME: JsonSchema = {
    "description": "A name that begins with claim, document or price, or a column of a look-up.",
    "pattern": _NAMED,
}
_RELATION = r"^(some|no|every)-[a-z-]+$"


def schema_line(name: str, schema: str) -> str:
    """The first line of a file of rules or cases, by its name below the folder: it leads editors to the schema."""
    return f"# yaml-language-server: $schema={'../' * name.count('/')}{schema}"


def rule_schema() -> JsonSchema:
    """JSON Schema 2020-12 of a rule file; which facts its conditions may name depends on its scope."""
    schema = _object(RuleYamlSchema())
    kinds = tuple(KINDS.values())
    return {
        "$schema": DIALECT,
        "title": "A rule of the claim scrubber",
        **schema,
        "allOf": [_scope(kind) for kind in kinds],
        "$defs": {
            **relation_definitions(),
            **{_tests_name(field): _tests(field) for kind in kinds for field in kind.fields.values()},
            **{name: schema for kind in kinds for name, schema in _definitions(kind)},
        },
    }


def case_schema() -> JsonSchema:
    """JSON Schema 2020-12 of a rule's test file."""
    return {
        "$schema": DIALECT,
        "title": "Test cases of a rule of the claim scrubber",
        "type": "array",
        "items": _object(CaseSchema()),
        "$defs": {
            "path": {
                "anyOf": [
                    {"enum": sorted(PATHS)},
                    *({"pattern": f"^{p}$"} for p in (LINE_PATH, DIAGNOSIS_PATH, DOCUMENT_PATH, POINTER)),
                ]
            },
            "line-field": {"enum": list(LINE_FIELDS)},
        },
    }


def pack_schema() -> JsonSchema:
    """JSON Schema 2020-12 of pack.yaml, with the tables that it declares."""
    return {"$schema": DIALECT, "title": "A pack of rules of the claim scrubber", **_object(PackFileSchema())}


def family_schema() -> JsonSchema:
    """JSON Schema 2020-12 of the file of a family of documentation."""
    return {
        "$schema": DIALECT,
        "title": "A family of documentation of the claim scrubber",
        **_object(FamilyFileSchema()),
    }


def definitions_schema() -> JsonSchema:
    """JSON Schema 2020-12 of definitions.yaml: named conditions."""
    return {
        "$schema": DIALECT,
        "title": "Conditions of a pack that rules of the claim scrubber use by name",
        "type": "object",
        "propertyNames": {"pattern": f"^{ID}$"},
        "additionalProperties": _object(DefinitionSchema()),
    }


def table_case_schema() -> JsonSchema:
    """JSON Schema 2020-12 of the test file of a table that a pack declares."""
    title = "Test cases of a table of the claim scrubber"
    return {"$schema": DIALECT, "title": title, "type": "array", "items": _object(TableCaseSchema())}


def as_text(schema: JsonSchema) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def schema_files() -> Mapping[str, str]:
    """Name and text of each schema file of a folder of rules."""
    return {
        RULE_SCHEMA_FILE: as_text(rule_schema()),
        CASE_SCHEMA_FILE: as_text(case_schema()),
        PACK_SCHEMA_FILE: as_text(pack_schema()),
        TABLE_CASE_SCHEMA_FILE: as_text(table_case_schema()),
        FAMILY_SCHEMA_FILE: as_text(family_schema()),
        DEFINITIONS_SCHEMA_FILE: as_text(definitions_schema()),
    }


def write_schemas(folder: Path) -> None:
    """Writes the schema files into a folder of rules."""
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")


def _described(names: Iterable[str], about: Callable[[str], str]) -> JsonSchema:
    """One of several words, each with the description that editors display."""
    return {"oneOf": [{"const": name, "description": about(name)} for name in names]}


def _first_sentence(kind: str) -> str:
    return (ROW_TYPES[kind].__doc__ or "").partition("\n")[0]


_ROW: JsonSchema = {"type": "object", "minProperties": 1, "description": "Columns of a row, with their cells."}
_ANSWERS: JsonSchema = {
    "anyOf": [
        _described(("none", "unknown"), {"none": "No row answers.", "unknown": "Nobody knows which."}.__getitem__),
        _ROW,
        {"type": "array", "minItems": 1, "items": _ROW, "description": "Every row that answers, in any order."},
    ]
}
_COLUMN_TYPE = _described(COLUMN_TYPES, lambda name: COLUMN_TYPES[name].about)


def _object(schema: Schema) -> JsonSchema:
    named = {field.data_key or name: field for name, field in schema.fields.items()}
    required = [name for name, field in named.items() if field.required and not schema.partial]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"description": schema.__doc__} if schema.__doc__ else {}),
        "properties": {name: _value(field) for name, field in named.items()},
        **({"required": required} if required else {}),
    }


def _value(field: fields.Field[Any]) -> JsonSchema:
    schema = _of_type(field)
    about = field.metadata.get("description")
    if about:
        schema = {"description": about, **schema}
    return {"anyOf": [schema, {"type": "null"}]} if field.allow_none else schema


def _of_type(field: fields.Field[Any]) -> JsonSchema:
    match field:
        case fields.Nested():
            return _object(field.schema)
        case fields.List():
            return {"type": "array", "items": _value(field.inner), **_length(field, "minItems")}
        case fields.Dict():
            return _mapping(field)
        case AnswersField() | TableKindField() | ColumnField() | NamedValueField():
            return _word_or_more(field)
        case FromRowField():
            from_row = {"description": field.about, **_object(field.schema)}
            return {"anyOf": [_of_type(field.plain), from_row]}
        case DayField():
            return {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
        case YesNoField():
            return {"enum": ["yes", "no", "true", "false", True, False]}
        case fields.Integer():
            return {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1}
        case fields.String():
            return _text(field)
        case _:
            return {}


def _word_or_more(field: AnswersField | TableKindField | ColumnField | NamedValueField) -> JsonSchema:
    match field:
        case NamedValueField():
            return {"anyOf": [_SCALAR, _FACT]}
        case AnswersField():
            return _ANSWERS
        case TableKindField():
            return {"anyOf": [_described(ROW_TYPES, _first_sentence), _object(field.schema)]}
    return {"anyOf": [_COLUMN_TYPE, _object(field.schema)]}


def _text(field: fields.String) -> JsonSchema:
    words = [word for one in field.validators if isinstance(one, validate.OneOf) for word in one.choices]
    described = field.metadata.get("words", {})
    if words:
        return _described(words, described.__getitem__) if described else {"enum": words}
    if field.metadata.get("names") == "column types":
        return _COLUMN_TYPE
    if field.metadata.get("names") == "paths":
        return {"$ref": "#/$defs/path"}
    if "pattern" in field.metadata:
        return {"type": ["string", "number"], "pattern": field.metadata["pattern"]}
    return {**_SCALAR, **_length(field, "minLength")}


def _length(field: fields.Field[Any], keyword: str) -> JsonSchema:
    least = [one.min for one in field.validators if isinstance(one, validate.Length)]
    return {keyword: least[0]} if least else {}


def _mapping(field: fields.Dict) -> JsonSchema:
    names = {"paths": {"$ref": "#/$defs/path"}, "line fields": {"$ref": "#/$defs/line-field"}}
    named = names.get(field.metadata.get("names", ""))
    pattern = field.key_field.metadata if field.key_field is not None else {}
    if named is None and "pattern" in pattern:
        named = {key: pattern[key] for key in ("description", "pattern")}
    inner = field.value_field
    values = _value(inner) if inner is not None else {}
    return {"type": "object", "additionalProperties": values or True, **({"propertyNames": named} if named else {})}


def _scope(kind: FactKind) -> JsonSchema:
    needed = [name for field in kind.fields.values() if field.may_be_missing for name in _spellings(field)]
    facts = {
        "applies": {"$ref": f"#/$defs/applies-{kind.name}"},
        "when": {"$ref": f"#/$defs/when-{kind.name}"},
        "bypassed": {"$ref": f"#/$defs/when-{kind.name}"},
    }
    then = {
        "look-up": {"$ref": "#/$defs/look-ups"},
        "amounts": {"$ref": "#/$defs/amounts"},
        "needs": {"items": {"enum": needed}} if needed else {"maxItems": 0},
    }
    return {
        "if": {"properties": {"scope": {"const": kind.name}}, "required": ["scope"]},
        # The names that a rule declares are its own: what conditions may name is known only where it declares none.
        "then": {
            "properties": then,
            "if": {"anyOf": [{"required": ["look-up"]}, {"required": ["amounts"]}]},
            "else": {"properties": facts},
        },
    }


def _spellings(field: Field) -> tuple[str, ...]:
    """The ways in which a name of two words may be written; one that is an element of its own is not among them."""
    other = with_hyphens(field.name)
    return (field.name,) if other == field.name or other in CATALOGUE else (field.name, other)


def _definitions(kind: FactKind) -> Iterable[tuple[str, JsonSchema]]:
    own = [field for field in kind.fields.values() if not field.element]
    elements = [field for field in kind.fields.values() if field.element]
    facts = {name: {"description": field.about, **_applies(field)} for field in own for name in _spellings(field)}
    facts |= {field.name: {"description": field.about, "$ref": _applies_of(field)} for field in elements}
    beside = {_RELATION: {"$ref": "#/$defs/relation"}, _NAMED: True}
    yield (
        f"applies-{kind.name}",
        {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": facts,
            "patternProperties": beside,
        },
    )
    yield from ((_applies_of(field).rpartition("/")[2], _applies(field)) for field in elements)
    group = {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/when-{kind.name}"}}
    names = [each for field in (*own, *elements) for each in _fact_constants(field)]
    yield (
        f"when-{kind.name}",
        {
            "type": "object",
            "if": {"required": ["fact"]},
            "then": {
                "minProperties": 2,
                "properties": {
                    "fact": {
                        "anyOf": [
                            *names,
                            _OTHER_NAME,
                        ]
                    }
                },
                "allOf": [*(_leaf([field]) for field in own), *map(_leaf, _tested_alike(elements))],
            },
            "else": {
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
                "properties": {"all": group, "any": group},
                "patternProperties": {_RELATION: {"$ref": "#/$defs/relation"}},
            },
        },
    )


def _applies(field: Field) -> JsonSchema:
    return {"anyOf": [_is(field), {"$ref": _tests_of(field)}]}


def _applies_of(field: Field) -> str:
    return f"#/$defs/applies-{_tests_name(field)}"


def _tested_alike(elements: Iterable[Field]) -> Iterable[list[Field]]:
    """Elements by what can be tested of them: the schema would be too long with an entry for each."""
    found: dict[str, list[Field]] = {}
    for field in elements:
        found.setdefault(_tests_name(field), []).append(field)
    return found.values()


def _fact_constants(field: Field) -> list[JsonSchema]:
    """The names of a fact as values, with the description that editors display there."""
    return [{"const": name, "description": field.about} for name in _spellings(field)]


def _leaf(alike: Sequence[Field]) -> JsonSchema:
    spelled = [name for field in alike for name in _spellings(field)]
    names: JsonSchema = {"const": spelled[0]} if len(spelled) == 1 else {"enum": spelled}
    return {"if": {"properties": {"fact": names}}, "then": {"$ref": _tests_of(alike[0])}}


def _tests_of(field: Field) -> str:
    return f"#/$defs/{_tests_name(field)}"


def _tests_name(field: Field) -> str:
    """Fields that can be tested in the same ways share one definition."""
    words = "|".join((*field.words, "", *field.states))
    return f"tests-{field.type.value}" + (f"-{zlib.crc32(words.encode()):08x}" if field.words or field.states else "")


def _tests(field: Field) -> JsonSchema:
    """The operators that go with a field, and the values that each may have."""
    constant = _constant(field)
    operators: JsonSchema = {"is": {"anyOf": [_is(field), _FACT]}}
    if field.type is not Type.CODES:
        operators["is-not"] = {"anyOf": [constant, _FACT]}
    if field.type in LISTED:
        several = {"anyOf": [{"type": "array", "minItems": 1, "items": constant}, _FACT]}
        operators |= dict.fromkeys(LIST_OPERATORS, several)
        operators |= {word: {"type": "string"} for word in IN_LIST_OPERATORS}
        texts = {"anyOf": [_SCALAR, {"type": "array", "minItems": 1, "items": _SCALAR}]}
        operators |= dict.fromkeys(SHAPES, texts)
    if field.may_be_unknown:
        operators[UNLESS_KNOWN] = {"type": "array", "minItems": 1, "items": constant}
    if field.type in ORDERED:
        operators |= {word: {"anyOf": [constant, _LIMIT, _FACT]} for word in ORDER_OPERATORS}
        operators |= {word: {"anyOf": [constant, _FACT]} for word in MULTIPLES}
    if field.type in (Type.DAY, Type.TIME, Type.CLOCK):
        operators |= {word: {"anyOf": [constant, _FACT]} for word in DAY_OPERATORS}
    described = {word: {"description": OPERATORS[word], **schema} for word, schema in operators.items()}
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"enum": ["fact", *operators]},
        "properties": described,
    }


def _is(field: Field) -> JsonSchema:
    constant = {"enum": []} if field.type is Type.CODES else _constant(field)
    if "enum" in constant:
        return {"enum": [*constant["enum"], *field.states]}
    return {"anyOf": [constant, {"enum": list(field.states)}]} if field.states else constant


def _constant(field: Field) -> JsonSchema:
    if field.words:
        return {"enum": [*field.words, *(int(word) for word in field.words if word.isdecimal())]}
    if field.type is Type.FLAG:
        return {"enum": ["yes", "no", True, False]}
    if field.type is Type.DAY:
        return {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    if field.type is Type.CLOCK:
        return {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}
    if field.type in ORDERED:
        return {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
    return {"type": ["string", "number"]}
