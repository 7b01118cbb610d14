"""Declares the published tables that rules may ask as they ask an author's own: their keys and their columns.

`facts.reference_rows` finds the rows. What a release does not state is blank in a row: nobody knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scrubber.rulebook.column_types import COLUMN_TYPES
from scrubber.rulebook.field import Field
from scrubber.rulebook.table_declaration import ALL, ONE, Column
from scrubber.rulebook.vocabulary import FEE_STATUSES

INDICATORS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """A published table. `keys` and `columns` are as of a TypedTable; `tables` names its tables of `reference.tables`.

    `answers` is one or all, as of a table that an author declares.
    """

    name: str
    about: str
    keys: Mapping[str, Column]
    columns: Mapping[str, Column]
    answers: str
    tables: tuple[str, ...]


def _column(name: str, type_: str, about: str, words: tuple[str, ...] = (), key: bool = False) -> Column:
    return Column(Field(name, COLUMN_TYPES[type_].of_fact, about, words), type_, key)


def _key(name: str, type_: str, about: str) -> Column:
    return _column(name, type_, about, key=True)


def _table(
    name: str,
    about: str,
    keys: Iterable[Column],
    columns: Iterable[Column],
    tables: tuple[str, ...],
    answers: str = ONE,
) -> ReferenceTable:
    by_name = {key.name: key for key in keys}
    every = {**by_name, **{column.name: column for column in columns}}
    return ReferenceTable(name, about, by_name, every, answers, tables)


_PROCEDURE = _key("procedure", "procedure", "procedure code")

REFERENCE_TABLES: Mapping[str, ReferenceTable] = {
    table.name: table
    for table in (
        _table(
            "fee-schedule",
            "Indicators of the Medicare physician fee schedule for a code, or for its component 26, TC or 53.",
            (
                _PROCEDURE,
                _key("modifier", "modifier", "of several, the first of 26, TC and 53 names the component; none: whole"),
            ),
            (
                _column("status", "word", "status of the code", FEE_STATUSES[:-1]),
                _column(
                    "global-days",
                    "word",
                    "global days as published: 000, 010, 090; MMM maternity, XXX no global days, YYY set by the "
                    "contractor, ZZZ part of another service",
                    ("000", "010", "090", "MMM", "XXX", "YYY", "ZZZ"),
                ),
                _column("days-after", "number", "how many global days follow the service: 0, 10, 90; else blank"),
                _column("bilateral", "word", "bilateral surgery indicator", ("0", "1", "2", "3", "9")),
                _column("multiple", "word", "multiple procedure indicator", INDICATORS),
                _column("assistant", "word", "assistant at surgery indicator", ("0", "1", "2", "9")),
                _column("co-surgeon", "word", "co-surgeons indicator", ("0", "1", "2", "9")),
                _column("team", "word", "team surgery indicator", ("0", "1", "2", "9")),
                _column("pc-tc", "word", "professional and technical component indicator", INDICATORS),
                _column("supervision", "text", "level of a physician's supervision of a diagnostic test, CMS's number"),
                _column("endoscopic-base", "procedure", "base code of an endoscopy"),
                _column("imaging-family", "text", "family of imaging services; 99 where there is none"),
                _column("facility-not-applicable", "yes-no", "marked NA in a facility"),
                _column("non-facility-not-applicable", "yes-no", "marked NA outside a facility"),
            ),
            ("mpfs",),
        ),
        _table(
            "add-on-edits",
            "Add-on codes, a row for each code that one may be billed with.",
            (_PROCEDURE,),
            (
                _column(
                    "type",
                    "word",
                    "1: these primary codes only; 2: the contractor decides; 3: these and more of the contractor's",
                    ("1", "2", "3"),
                ),
                _column("primary", "procedure", "a code that it may be billed with; blank: the contractor decides"),
            ),
            ("ncci-add-on",),
            ALL,
        ),
        _table(
            "mue",
            "Medically unlikely edits: the most units of a code for one patient, provider and day.",
            (_PROCEDURE,),
            (
                _column("units", "number", "most units"),
                _column(
                    "indicator",
                    "word",
                    "1: by line; 2: by day, absolute; 3: by day, unless the record shows that more were needed",
                    ("1", "2", "3"),
                ),
            ),
            ("ncci-mue",),
        ),
        _table(
            "place-of-service",
            "Places of service and the rate that Medicare pays there.",
            (_key("place", "place", "place of service"),),
            (_column("setting", "word", "which rate", ("facility", "non-facility")),),
            ("place-of-service",),
        ),
        _table(
            "procedures",
            "Procedure codes, by the code lists and the fee schedule: a row only for codes in force on the day.",
            (_PROCEDURE,),
            (),
            ("procedures", "hcpcs", "mpfs"),
        ),
        _table(
            "modifiers",
            "Modifiers in force.",
            (_key("modifier", "modifier", "modifier"),),
            (
                _column(
                    "ncci",
                    "word",
                    "the group of NCCI-associated modifiers that it is of; blank: of none",
                    (
                        "anatomic", "global-surgery-em", "global-surgery", "laboratory", "mammography", "other",
                        "distinct",
                    ),
                ),
            ),
            ("modifiers", "hcpcs-modifiers"),
        ),
        _table(
            "diagnoses",
            "Billable diagnosis codes: a row only for codes in force on the day.",
            (_key("diagnosis", "diagnosis", "diagnosis code without its dot"),),
            (),
            ("icd10cm",),
        ),
        _table(
            "taxonomy",
            "What providers are, by the longest beginning of their taxonomy code that has a row.",
            (_key("taxonomy", "taxonomy", "taxonomy code"),),
            (
                _column(
                    "class",
                    "word",
                    "what the provider is",
                    (
                        "physician", "nurse-practitioner", "physician-assistant", "clinical-nurse-specialist",
                        "clinical-social-worker", "marriage-and-family-therapist", "mental-health-counselor",
                        "dietitian", "technologist", "nurse", "laboratory",
                    ),
                ),
                _column("percent", "decimal", "share of the fee that Medicare pays them; 1 is all of it"),
            ),
            ("taxonomy",),
        ),
        _table(
            "ordering-providers",
            "What a provider may order or refer under Medicare, by CMS's list.",
            (_key("npi", "npi", "NPI of the provider"),),
            (
                _column("part-b", "yes-no", "services of Part B"),
                _column("equipment", "yes-no", "medical equipment"),
                _column("home-health", "yes-no", "home health services"),
                _column("power-mobility", "yes-no", "power mobility devices"),
                _column("hospice", "yes-no", "hospice services"),
            ),
            ("order-referring",),
        ),
    )
}  # fmt: skip
