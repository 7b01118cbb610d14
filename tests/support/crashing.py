"""A service whose scrubber fails on every claim, with the claim in its exceptions: python -m tests.support.crashing"""

from __future__ import annotations

import logging
import os
import warnings
from datetime import date
from typing import NoReturn

from scrubber.app import create_app, reloading_app
from scrubber.claim.model import Claim
from scrubber.config import read_settings
from scrubber.findings import NO_SWITCHES, Switches
from scrubber.scrub import open_scrubber
from scrubber.server.gunicorn import serve


class Crashing:
    """Opened like a scrubber; says everything it should not."""

    def __init__(self) -> None:
        opened = open_scrubber(SETTINGS.rules, SETTINGS.reference)
        self.rulebook, self.reference, self.engine = opened.rulebook, opened.reference, opened.engine

    def scrub(self, claim: Claim, received_on: date, switches: Switches = NO_SWITCHES) -> NoReturn:
        """Log, warn and raise with values of the claim."""
        name = str(claim.subscriber.last_name)
        library = logging.getLogger("some.library")
        library.error("cannot handle %s", name)
        library.error(name)
        library.error(f"cannot handle {name}")
        library.warning("the cache is full")
        warnings.warn(f"odd name {name}", stacklevel=1)
        warnings.warn("names will be required", FutureWarning, stacklevel=1)
        try:
            dict[str, str]()[name]
        except KeyError as error:
            raise ValueError(f"no such patient: {name}") from error
        raise AssertionError


if __name__ == "__main__":
    SETTINGS = read_settings(os.environ)
    _, reloads = reloading_app(SETTINGS)
    serve(create_app(SETTINGS, Crashing()), reloads)  # type: ignore[arg-type]
