"""Beside the path: the shape of `.test.yaml` files, in marshmallow; the JSON Schema is generated from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from scrubber.rulebook.book import TEST_RELEASES
from scrubber.rulebook.case_paths import LINE_FIELDS, target
from scrubber.rulebook.rule import SEVERITIES
from scrubber.rulebook.schema import ID, Day


def _path(text: str) -> None:
    if target(text) is None:
        raise ValidationError("leads nowhere: write line.2.modifiers, documentation.tbsValue … or a JSON pointer")


_LINE_NUMBER = validate.Range(min=1, max=1000)


class _OnLines(Schema):
    line = fields.Integer(validate=_LINE_NUMBER, metadata={"description": "The one line it stands on."})
    lines = fields.List(
        fields.Integer(validate=_LINE_NUMBER), metadata={"description": "Lines; none is the claim as a whole."}
    )

    @validates_schema
    def _one_of_them(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("line" in data) == ("lines" in data):
            raise ValidationError("needs either `line` or `lines` (`lines: []` is the claim as a whole)")


class FindingSchema(_OnLines):
    """A finding of the rule: exactly these lines, and what else is written."""

    severity = fields.String(validate=validate.OneOf(SEVERITIES, error="Must be one of: {choices}."))
    at_risk = fields.String(
        data_key="at-risk",
        allow_none=True,
        validate=validate.Regexp(r"[0-9]+\.[0-9]{2}\Z", error="Must be dollars such as 9.38, or null."),
        metadata={"description": "Dollars at risk; null where they cannot be known.", "pattern": r"^[0-9]+\.[0-9]{2}$"},
    )
    liability = fields.String(
        allow_none=True, validate=validate.OneOf(("provider", "patient"), error="Must be one of: {choices}.")
    )
    related = fields.List(
        fields.Integer(validate=_LINE_NUMBER), metadata={"description": "The other lines it is about."}
    )
    message = fields.String(metadata={"description": "A part of the message."})
    pointer = fields.String(metadata={"description": "JSON pointer into the claim."})


class NotCheckedSchema(_OnLines):
    """Something that the rule could not judge."""

    missing = fields.List(fields.String(), metadata={"description": "Exactly what was not supplied."})


class CaseSchema(Schema):
    """One case: a base claim, what is changed in it, and what the rule must find."""

    name = fields.String(required=True, validate=validate.Length(min=1), metadata={"description": "What it shows."})
    claim = fields.String(
        required=True,
        validate=validate.Regexp(rf"{ID}\Z", error="Must be the name of a file in claims/, without .json."),
        metadata={"description": "A base claim: claims/NAME.json.", "pattern": f"^{ID}$"},
    )
    change = fields.Dict(
        keys=fields.String(validate=_path),
        values=fields.Raw(allow_none=True),
        load_default=dict,
        metadata={"description": "Paths and their new values; null says there is none.", "names": "paths"},
    )
    without = fields.List(
        fields.String(validate=_path),
        load_default=list,
        metadata={"description": "Paths to leave out.", "names": "paths"},
    )
    lines = fields.List(
        fields.Dict(
            keys=fields.String(validate=validate.OneOf(tuple(LINE_FIELDS), error="Must be one of: {choices}.")),
            values=fields.Raw(allow_none=True),
            metadata={"names": "line fields"},
        ),
        load_default=list,
        metadata={"description": "Service lines to add; what is not written is as on a plain line."},
    )
    tables = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))),
        load_default=dict,
        metadata={"description": "Rows of PACK/FILE.csv that hold for this case only."},
    )
    received_on = Day(data_key="received-on", metadata={"description": "Default: the claim's last date of service."})
    releases = fields.String(
        validate=validate.OneOf(TEST_RELEASES, error="Must be one of: {choices}."),
        metadata={
            "description": "Which reference data it runs on. starter: the tables that ship with the program. loaded: "
            "the same, as if they had been loaded from the files of the publishers. complete: as if that had been "
            "done with --complete, so that absence from them means something. in-use: what SCRUBBER_REFERENCE names. "
            "Default: test-releases of pack.yaml, else starter."
        },
    )
    finds = fields.List(fields.Nested(FindingSchema), metadata={"description": "All findings of the rule; [] is none."})
    not_checked = fields.List(
        fields.Nested(NotCheckedSchema),
        data_key="not-checked",
        metadata={"description": "All that the rule could not judge. Without `finds`, nothing is to be found."},
    )

    @validates_schema
    def _expects_something(self, data: Mapping[str, Any], **_: Any) -> None:
        if "finds" not in data and "not_checked" not in data:
            raise ValidationError("says nothing of what must come out: add `finds` or `not-checked`")

    @validates_schema
    def _lines_have_codes(self, data: Mapping[str, Any], **_: Any) -> None:
        for index, line in enumerate(data.get("lines", ())):
            if "procedure" not in line:
                raise ValidationError("needs a `procedure`", f"lines.{index}")
