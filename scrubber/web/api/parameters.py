"""Around the path: the query parameters of requests that look things up."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from scrubber.web.problems import BAD_PARAMETER, Refused


def texts_of(known: Iterable[str]) -> dict[str, str]:
    """The parameters of the request by name. One that is misspelt would change the answer unnoticed: it is refused."""
    check_names(known)
    return request.args.to_dict()


def check_names(once: Iterable[str] = (), repeated: Iterable[str] = ()) -> None:
    """That the request has no other parameters than these, and of the first ones each once. Raises Refused (400)."""
    several = frozenset(repeated)
    names = [*once, *sorted(several)]
    if not request.args.keys() <= set(names):
        told = (
            f"Only these parameters are known here: {', '.join(names)}." if names else "No parameters are known here."
        )
        raise Refused(BAD_PARAMETER, told)
    for name, values in request.args.lists():
        if len(values) > 1 and name not in several:
            raise Refused(BAD_PARAMETER, f"`{name}` is given more than once.")
