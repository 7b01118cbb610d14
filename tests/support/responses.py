"""Reads the answers that Flask's test client is given."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse


def json_of(response: TestResponse) -> Any:
    """The JSON of a response; a test that is answered with anything else fails here."""
    document = response.json
    assert document is not None, (response.status, response.mimetype)
    return document
