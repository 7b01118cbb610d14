"""The marshmallow schema of a fix as data in a rule file: one action, and the fact of the record that allows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate, validates_schema

ADD, DROP, MOVE = "add-modifier", "drop-modifier", "move-modifier"
UNITS, LINE, POINT, SUPPLY = "change-units", "drop-line", "point-to", "supply"
ACTIONS: Mapping[str, str] = {  # descriptions for authors
    ADD: "A modifier to put on the line: JZ, or {fact: NAME} of a row.",
    DROP: "A modifier to take off the line.",
    MOVE: "A modifier to take off the line and put on the line that `to` names.",
    UNITS: "The units that the line should have: a number, or {fact: NAME}.",
    LINE: "A line to leave out: this or related.",
    POINT: "A diagnosis of the claim that the line should point to: an element of the documentation, document.NAME, by "
    "which the note links it to the service.",
    SUPPLY: "An element of the claim that is missing, by its name; what stands there is for the user to find.",
}
THIS, RELATED = "this", "related"  # lines of the finding
MOST_REMEDIES = 8  # of one rule
# What the names of actions have in them of which there are none.
_NEVER = re.compile(r"diagnos|procedure|code|abn|notice|sign|note|addend|document|date")
NEVER_DONE = (
    "a fix never changes a diagnosis or what was done, and never makes a notice, a signature, or a note after the "
    "service"
)


class NamedValueField(fields.Field[Any]):
    """A text, or {fact: NAME}."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, Mapping):
            if set(value) != {"fact"} or not isinstance(value["fact"], str):
                raise ValidationError("Must be one text, or {fact: NAME}.")
            return dict(value)
        if not isinstance(value, str):
            raise ValidationError("Must be one text, or {fact: NAME}.")
        return value


def _line_of_finding(about: str, **options: Any) -> fields.String:
    words = validate.OneOf((THIS, RELATED), error="Must be one of: {choices}.")
    return fields.String(validate=words, metadata={"description": about}, **options)


class RemedySchema(Schema):
    """A fix as data: one action, and the fact of the record that makes it legitimate."""

    on = _line_of_finding("The line that it is about: this (so it is where nothing is said), or related.")
    to = _line_of_finding("The line that a modifier moves to.")
    when_record_shows = fields.String(
        data_key="when-record-shows",
        validate=validate.Length(1, 500),
        metadata={
            "description": "The fact that makes it legitimate, to go on from “if the record shows that”. It is never "
            "applied before the user has stated it."
        },
    )
    add = NamedValueField(data_key=ADD, metadata={"description": ACTIONS[ADD]})
    drop = NamedValueField(data_key=DROP, metadata={"description": ACTIONS[DROP]})
    move = NamedValueField(data_key=MOVE, metadata={"description": ACTIONS[MOVE]})
    units = NamedValueField(data_key=UNITS, metadata={"description": ACTIONS[UNITS]})
    line = _line_of_finding(ACTIONS[LINE], data_key=LINE)
    point = fields.String(data_key=POINT, metadata={"description": ACTIONS[POINT]})
    supply = fields.String(data_key=SUPPLY, metadata={"description": ACTIONS[SUPPLY]})

    @pre_load
    def _never(self, data: Any, **_: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in (*ACTIONS, "on", "to", "when-record-shows") and _NEVER.search(str(key)):
                    raise ValidationError({str(key): [f"there is no such action: {NEVER_DONE}."]})
        return data

    @validates_schema
    def _one_action(self, data: Mapping[str, Any], **_: Any) -> None:
        actions = [word for key, word in BY_KEY.items() if key in data]
        if len(actions) != 1:
            raise ValidationError(f"needs exactly one action of: {', '.join(ACTIONS)}")
        if ("to" in data) != (actions == [MOVE]):
            raise ValidationError(f"`to` goes with {MOVE}, which needs it")


BY_KEY = {"add": ADD, "drop": DROP, "move": MOVE, "units": UNITS, "line": LINE, "point": POINT, "supply": SUPPLY}
