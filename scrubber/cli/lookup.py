"""Options of the commands that look codes up: the parameters of the API's addresses, in the way of a command line."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from scrubber.cli.opening import Unusable
from scrubber.codes.asked import CODE, FALSE, TRUE, BadParameter, Parameter

C = TypeVar("C", bound=Callable[..., Any])


def asked_by(parameters: Iterable[Parameter]) -> Callable[[C], C]:
    """Gives a command an option for each parameter; its value arrives under the parameter's name."""
    chosen = tuple(parameters)

    def decorate(command: C) -> C:
        for parameter in reversed(chosen):
            command = _option(parameter)(command)
        return command

    return decorate


def texts(options: Mapping[str, str | None]) -> dict[str, str]:
    """The options that were used."""
    return {name: text for name, text in options.items() if text is not None}


@contextmanager
def read_plainly() -> Iterator[None]:
    """What cannot be read, in the words of the command line: exit code 2."""
    try:
        yield
    except BadParameter as bad:
        name = "CODE" if bad.name == CODE.name else f"--{_dashed(bad.name)}"
        raise Unusable(f"{name} must be {bad.expected}") from None


def show(render: Callable[[int], str]) -> None:
    """A table as wide as the terminal; in colours there, unless NO_COLOR is set."""
    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    click.echo(render(width), color=False if os.environ.get("NO_COLOR") else None)


def _option(parameter: Parameter) -> Callable[[C], C]:
    names = f"--{_dashed(parameter.name)}", parameter.name
    if parameter.words == (FALSE, TRUE):
        return click.option(*names, flag_value=TRUE, default=None, help=parameter.about)
    if parameter.words:
        return click.option(*names, type=click.Choice(parameter.words), metavar="WORD", help=_with_words(parameter))
    return click.option(*names, help=parameter.about, metavar=parameter.name.upper()[:9])


def _with_words(parameter: Parameter) -> str:
    return f"{parameter.about} One of: {', '.join(parameter.words)}."


def _dashed(name: str) -> str:
    return re.sub("([A-Z])", r"-\1", name).lower()
