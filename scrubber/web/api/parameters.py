"""Around the path: the query parameters of requests that look things up."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from scrubber.web.problems import BAD_PARAMETER, Refused


def texts_of(known: Iterable[str]) -> dict[str, str]:
    """The parameters of the request by name. One that is misspelt would change the answer unnoticed: it is refused."""
    names = list(known)
    if not request.args.keys() <= set(names):
        told = (
            f"Only these parameters are known here: {', '.join(names)}." if names else "No parameters are known here."
        )
        raise Refused(BAD_PARAMETER, told)
    for name, values in request.args.lists():
        if len(values) > 1:
            raise Refused(BAD_PARAMETER, f"`{name}` is given more than once.")
    return request.args.to_dict()
