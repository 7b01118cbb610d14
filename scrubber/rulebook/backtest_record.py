"""Reads and writes the record of a rule's back-test, `PACK/backtests/RULE.json`: aggregate numbers only.

An active rule may deny on such a record where no authority binds; see `scrubber.rulebook.lint`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from scrubber.errors import Fault, Faults
from scrubber.rulebook.rule import Rule
from scrubber.rulebook.schema import ID, DayField

FOLDER = "backtests"
MOST_BYTES = 16 * 1024
_DIGEST = validate.Regexp(r"sha256:[0-9a-f]{64}\Z", error="Must be sha256: and 64 digits.")
_COUNT = validate.Range(min=0)
_DOLLARS = re.compile(r"[0-9]{1,15}\.[0-9]{2}", re.ASCII)
_SHARE = re.compile(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BackTestRecord:
    """Numbers of one run over past claims. `meaning`: of the rule that ran, see `scrubber.rulebook.rule`.

    `dollars` is what the findings put at risk, None where no line's amount is known; `precision` is the share (0 to 1)
    of flagged lines that were denied in truth, None without remittances; `run` is the day; `rulebook` the digest of the
    rulebook that ran.
    """

    rule: str
    meaning: str
    claims: int
    findings: int
    dollars: Decimal | None
    precision: Decimal | None
    run: date
    rulebook: str


class _DecimalText(fields.Field[Decimal]):
    """A number as text: the file reads back as it was written."""

    def __init__(self, form: re.Pattern[str], like: str, **options: Any) -> None:
        self._form = form
        self._like = like
        super().__init__(**options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Decimal:
        if not isinstance(value, str) or not self._form.fullmatch(value):
            raise ValidationError(f"Must look like {self._like}.")
        return Decimal(value)


class RecordSchema(Schema):
    """The record's file."""

    rule = fields.String(required=True, validate=validate.Regexp(rf"(?:{ID})\Z"))
    meaning = fields.String(required=True, validate=_DIGEST)
    claims = fields.Integer(required=True, strict=True, validate=_COUNT)
    findings = fields.Integer(required=True, strict=True, validate=_COUNT)
    dollars = _DecimalText(_DOLLARS, '"1234.50"', required=True, allow_none=True)
    precision = _DecimalText(_SHARE, '"0.85"', required=True, allow_none=True)
    run = DayField(required=True)
    rulebook = fields.String(required=True, validate=_DIGEST)


_SCHEMA = RecordSchema()


def record_name(rule: Rule) -> str:
    """The value that `back-test` of the rule must have: the record's file, below the folder of the rule's pack."""
    return f"{FOLDER}/{rule.id}.json"


def record_path(rule: Rule, folder: Path) -> Path:
    """Where the record of a rule lies in a folder of rules."""
    return folder / rule.pack / record_name(rule)


def read_record(path: Path, name: str) -> BackTestRecord:
    """The record in `path`; `name` is what faults call the file. Raises Faults with all that is wrong with it."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise Faults([Fault(name, 0, "is too large to be the record of a back-test")])
        loaded = _SCHEMA.load(json.loads(text))
    except OSError as error:
        raise Faults([Fault(name, 0, f"cannot be read: {error.strerror}")]) from None
    except ValidationError as error:
        raise Faults(_faults(error.messages, name)) from None
    except (ValueError, RecursionError):
        raise Faults([Fault(name, 0, "is no JSON")]) from None
    return BackTestRecord(**loaded)


def _faults(messages: Any, name: str) -> list[Fault]:
    content = messages if isinstance(messages, Mapping) else {"record": messages}
    return [Fault(name, 0, f"{key}: {message}") for key, found in content.items() for message in found]


def write_record(record: BackTestRecord, path: Path) -> None:
    """Writes the record as JSON, numbers with fractions as text, and the folder it lies in."""
    content = {
        "rule": record.rule,
        "meaning": record.meaning,
        "claims": record.claims,
        "findings": record.findings,
        "dollars": None if record.dollars is None else f"{record.dollars:.2f}",
        "precision": None if record.precision is None else f"{record.precision:.4f}",
        "run": record.run.isoformat(),
        "rulebook": record.rulebook,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
