"""Declares problems: what callers get in place of an answer (RFC 9457). Never a value from a claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scrubber.errors import Problem
from scrubber.response.schema import Number, Objects, ResponseSchema, Text
from scrubber.response.writer import writer


class ProblemEntryResponse(ResponseSchema):
    """One thing wrong with a body."""

    instance_of = Problem

    pointer = Text("JSON pointer into the body.")
    detail = Text("What is expected there.", path="message")


class ProblemDetails(NamedTuple):
    """A problem as its caller gets it; `errors` None: it is not one of places of the body."""

    type: str
    title: str
    status: int
    detail: str
    errors: Sequence[Problem] | None


class ProblemResponse(ResponseSchema):
    """A problem."""

    instance_of = ProblemDetails

    type = Text("Which kind of problem; stays the same between releases.")
    title = Text("The kind in words.")
    status = Number("HTTP status.")
    detail = Text("What to do. Never repeats what was sent.")
    errors = Objects(ProblemEntryResponse, "What is wrong, place by place.", optional=True)


write_problem = writer(ProblemResponse())
