"""Declares fixes as data: those that a rule has, and those offered with a finding."""

from __future__ import annotations

from scrubber.findings.remedies import OfferedRemedy
from scrubber.response.schema import Number, OneOf, ResponseSchema, Text
from scrubber.rulebook.remedy_schema import ACTIONS

_ACTION = "What would be done."


class RemedyResponse(ResponseSchema):
    """A fix as data. What it does not need is left out."""

    instance_of = OfferedRemedy

    number = Number("Its place among the fixes of the rule, from 1.")
    action = OneOf(tuple(ACTIONS), _ACTION)
    line = Number("The service line, from 1.", optional=True)
    to_line = Number("The line that a modifier moves to.", optional=True)
    modifier = Text("The modifier that is added, taken off or moved.", optional=True)
    units = Text("The units that the line would have.", optional=True)
    diagnosis_pointer = Number("Position on the claim of the diagnosis that the line would point to.", optional=True)
    diagnosis = Text("Its code.", optional=True)
    element = Text("The element of the claim that is missing; its value is for you to find.", optional=True)
    when_record_shows = Text(
        "What the record must show: not to be applied before whoever bills has stated that it does.", optional=True
    )


class RuleRemedyResponse(ResponseSchema):
    """A fix of a rule as data: one way out of what it finds."""

    action = OneOf(tuple(ACTIONS), _ACTION)
    on = OneOf(("this", "related"), "The line that it is about: the one of the finding, or the related one.")
    to = Text("The line that a modifier moves to.", optional=True)
    value = Text("The modifier, units or element, or the name of what gives it.", path="value_in_words", optional=True)
    when_record_shows = Text("What the record must show before it is applied.", optional=True)
