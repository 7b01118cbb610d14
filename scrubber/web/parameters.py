"""Around the path over HTTP: each route refuses query parameters that it does not know, before it reads anything.

A misspelt parameter would change nothing, unnoticed. What a route knows is what its documentation says of it, so that
the two cannot differ. No name or value that was sent is repeated: either may hold something of a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, NamedTuple

from flask import Flask, request

from scrubber.web.problems import BAD_PARAMETER, Refused

_ALIKE = 0.7  # of 1: `veiw` and `view` are 0.75
_LOOKED_AT = 8  # unknown names of one request, and
_LONGEST = 40  # characters of each: comparing takes time
_VARIABLE = re.compile(r"<(?:[^:<>]*:)?([^<>]*)>")


class Known(NamedTuple):
    """The names of the parameters of one route: those that may be given once, and those that may be repeated."""

    once: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()


_NONE = Known()


def install(app: Flask, document: Mapping[str, Any]) -> None:
    """Have every route of `app` refuse what `document`, its OpenAPI document, does not list for it."""
    routes = {
        (path, method.upper()): _known(operation.get("parameters", ()))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, Mapping)
    }

    def check() -> None:
        # The query of an OPTIONS request is that of the request which the browser asks about.
        if request.args and request.url_rule is not None and request.method != "OPTIONS":
            method = "GET" if request.method == "HEAD" else request.method
            _check(routes.get((_VARIABLE.sub(r"{\1}", request.url_rule.rule), method), _NONE))

    app.before_request(check)


def _known(parameters: Iterable[Mapping[str, Any]]) -> Known:
    asked = {parameter["name"]: parameter["schema"] for parameter in parameters if parameter.get("in") == "query"}
    repeated = frozenset(name for name, schema in asked.items() if schema.get("type") == "array")
    return Known(frozenset(asked) - repeated, repeated)


def _check(known: Known) -> None:
    """Raises Refused (400)."""
    names = sorted(known.once | known.repeated)
    unknown = request.args.keys() - set(names)
    if unknown:
        raise Refused(BAD_PARAMETER, " ".join(_unknown(sorted(unknown), names)))
    for name in known.once:
        if len(request.args.getlist(name)) > 1:
            raise Refused(BAD_PARAMETER, f"`{name}` is given more than once.")


def _unknown(unknown: Iterable[str], names: list[str]) -> Iterable[str]:
    if not names:
        yield "No parameters are known here."
        return
    yield f"Only these parameters are known here: {', '.join(names)}."
    meant = [name for name in names if name in _meant(unknown, names)]
    if meant:
        yield f"Probably meant: {', '.join(f'`{name}`' for name in meant)}."


def _meant(unknown: Iterable[str], names: list[str]) -> set[str]:
    """The known names that unknown ones resemble, whatever their case."""
    plain = {name.casefold(): name for name in names}
    return {
        plain[near]
        for sent in islice(unknown, _LOOKED_AT)
        for near in get_close_matches(sent[:_LONGEST].casefold(), plain, n=1, cutoff=_ALIKE)
    }
