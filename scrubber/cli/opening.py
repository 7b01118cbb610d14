"""Before the path: settings, rules and reference data for a command; a fault in them ends it with exit code 2."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from scrubber.config import Settings, read_settings
from scrubber.errors import BackTestStopped, ConfigError, Faults, KeysDown, NoRulebook, WrongSwitch


class Unusable(click.ClickException):
    """The command cannot do its work: exit code 2."""

    exit_code = 2


@contextmanager
def told_plainly() -> Iterator[None]:
    """Faults and unusable settings as messages instead of tracebacks."""
    try:
        yield
    except (BackTestStopped, ConfigError, KeysDown, NoRulebook, WrongSwitch) as error:
        raise Unusable(str(error)) from None
    except Faults as error:
        raise Unusable(f"{len(error.faults)} fault(s)\n{error}") from None


def settings() -> Settings:
    """Settings of the environment."""
    with told_plainly():
        return read_settings(os.environ)
