"""The rules that the service runs, and the reference data that it looks things up in, to read."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from scrubber.api.headers import REVALIDATED
from scrubber.api.problems import BAD_PARAMETER, NOT_FOUND, Refused
from scrubber.api.request import service
from scrubber.api.schemas import operations
from scrubber.likeness import perhaps
from scrubber.response.rules import ReleaseList, RuleInRulebook, RuleList, write_releases, write_rule, write_rule_list
from scrubber.rulebook.rule import CATEGORIES, SEVERITIES, STAGES, Rule
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.schema import STATUSES

reference = Blueprint("reference", __name__, url_prefix="/v1/reference", description="Read the reference data.")


@reference.get("")
@reference.doc(**operations.LIST_RELEASES)
def list_releases() -> Response:
    """List the releases.

    Several releases of a table lie side by side; the one in force on a date of service answers for it.
    """
    found = ReleaseList(service().scrubber.reference.releases())
    return Response(orjson.dumps(write_releases(found)), content_type="application/json")


rules = Blueprint("rules", __name__, url_prefix="/v1/rules", description="Read the rules.")

_CHOICES = {
    "status": STATUSES,
    "severity": SEVERITIES,
    "stage": STAGES,
    "category": CATEGORIES,
}


@rules.get("")
@rules.doc(**operations.LIST_RULES)
def list_rules() -> Response:
    """List the rules.

    Of every status, ordered by id. Each parameter narrows the list.
    """
    book = service().scrubber.rulebook
    return _answer(write_rule_list(RuleList(book.digest, book.packs.values(), _filtered(book))), book)


@rules.get("/<rule_id>")
@rules.doc(**operations.READ_RULE)
def read_rule(rule_id: str) -> Response:
    """Read one rule.

    Everything that its file says, its conditions as data.
    """
    book = service().scrubber.rulebook
    found = book.rules.get(rule_id)
    if found is None:
        raise Refused(NOT_FOUND, f"No rule has this id{perhaps(rule_id, book.rules)}; GET /v1/rules lists them.")
    return _answer(write_rule(RuleInRulebook(book.digest, found)), book)


def _filtered(book: Rulebook) -> Iterator[Rule]:
    wanted = {name: _wanted(name, book) for name in ("pack", *_CHOICES) if name in request.args}
    for rule in book.rules.values():
        if all(getattr(rule, name) == value for name, value in wanted.items()):
            yield rule


def _wanted(name: str, book: Rulebook) -> str:
    choices = tuple(book.packs) if name == "pack" else _CHOICES[name]
    value = request.args[name]
    if value not in choices:
        raise Refused(BAD_PARAMETER, f"`{name}` is one of: {', '.join(choices)}{perhaps(value, choices)}.")
    return value


def _answer(content: dict[str, object], book: Rulebook) -> Response:
    """Good until the rulebook changes, which its digest tells."""
    answer = Response(orjson.dumps(content), content_type="application/json")
    answer.headers["Cache-Control"] = REVALIDATED
    answer.set_etag(book.digest)
    answer.make_conditional(request)
    return answer
