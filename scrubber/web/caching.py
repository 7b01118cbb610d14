"""Around the path over HTTP: what may hold something of a claim is stored by nobody on the way; the rest says how long.

An answer that says nothing of itself is not stored: what is added and forgotten here is safe.
"""

from __future__ import annotations

from flask import Flask, Response

NOT_STORED = "no-store"
REVALIDATED = "no-cache"  # may be stored, and is asked for again with its ETag each time
_HEADER = "Cache-Control"


def install(app: Flask) -> None:
    """Have every answer of `app` say whether it may be stored."""
    app.after_request(_forbid)


def _forbid(response: Response) -> Response:
    if response.status_code >= 400 or _HEADER not in response.headers:
        response.headers[_HEADER] = NOT_STORED
    return response
