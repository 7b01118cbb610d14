"""What the views of one application work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from scrubber.scrub import Scrubber

_KEY = "claim-scrubber"


@dataclass(frozen=True, slots=True)
class Service:
    """An open scrubber and the largest body that is read."""

    scrubber: Scrubber
    max_body_bytes: int


def install(app: Flask, service: Service) -> None:
    """Give the service to the views of `app`."""
    app.extensions[_KEY] = service


def service() -> Service:
    """The service of the application that answers the current request."""
    return cast(Service, current_app.extensions[_KEY])
