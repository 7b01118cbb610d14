"""Options, settings and error messages that several commands share."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import click

from scrubber.code_lookup.query import CODE, DATE, FALSE, TRUE, BadParameter, Parameter
from scrubber.config import Settings, read_settings
from scrubber.errors import BackTestStopped, ConfigError, Faults, KeysDown, NoRulebook, WrongSwitch
from scrubber.scrub import Receipt


class DayParameter(click.ParamType[date]):
    """A date as the API's parameters have it: CCYYMMDD or CCYY-MM-DD."""

    name = "CCYYMMDD"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Called by click."""
        try:
            day: date = DATE.read(value)
        except BadParameter:
            self.fail("give a date as CCYYMMDD or CCYY-MM-DD, for example 20250312", param, ctx)
        return day


def receipt(option: date | None) -> Receipt:
    """The day of receipt: the option, else the claim's own, else today (UTC)."""
    return Receipt(datetime.now(UTC).date(), option)


class Unusable(click.ClickException):
    """The command cannot do its work: exit code 2."""

    exit_code = 2


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Ends the command with a message, not a traceback, for faults and unusable settings."""
    try:
        yield
    except (BackTestStopped, ConfigError, KeysDown, NoRulebook, WrongSwitch) as error:
        raise Unusable(str(error)) from None
    except Faults as error:
        raise Unusable(f"{len(error.faults)} fault(s)\n{error}") from None


def current_settings() -> Settings:
    """The settings of the environment. Ends the command where one is unusable."""
    with errors_as_messages():
        return read_settings(os.environ)


C = TypeVar("C", bound=Callable[..., Any])


def parameter_options(parameters: Iterable[Parameter]) -> Callable[[C], C]:
    """Gives a command an option for each parameter, whose value is passed under the parameter's name."""
    in_order = tuple(parameters)

    def decorate(command: C) -> C:
        for parameter in reversed(in_order):
            command = _option(parameter)(command)
        return command

    return decorate


def used_options(options: Mapping[str, str | None]) -> dict[str, str]:
    """The options that were used."""
    return {name: text for name, text in options.items() if text is not None}


@contextmanager
def parameter_errors_as_messages() -> Iterator[None]:
    """Ends the command with exit code 2 where a parameter cannot be read, naming its option."""
    try:
        yield
    except BadParameter as bad:
        name = "CODE" if bad.name == CODE.name else f"--{_dashed(bad.name)}"
        raise Unusable(f"{name} must be {bad.expected}") from None


def print_page(render: Callable[[int], str]) -> None:
    """Prints a text as wide as the terminal, in colours there, unless NO_COLOR is set."""
    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    click.echo(render(width), color=False if os.environ.get("NO_COLOR") else None)


def _option(parameter: Parameter) -> Callable[[C], C]:
    names = f"--{_dashed(parameter.name)}", parameter.name
    if parameter.choices == (FALSE, TRUE):
        return click.option(*names, flag_value=TRUE, default=None, help=parameter.about)
    if parameter.choices:
        return click.option(*names, type=click.Choice(parameter.choices), metavar="WORD", help=_with_choices(parameter))
    return click.option(*names, help=parameter.about, metavar=parameter.name.upper()[:9])


def _with_choices(parameter: Parameter) -> str:
    return f"{parameter.about} One of: {', '.join(parameter.choices)}."


def _dashed(name: str) -> str:
    return re.sub("([A-Z])", r"-\1", name).lower()
