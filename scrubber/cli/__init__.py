"""The command line: parses arguments, calls the program, and turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec

import click
import orjson

from scrubber import __version__
from scrubber.errors import ConfigError, describe_failure

# By command: the module below this package, and what it does. A module is imported when its command is called, so that
# the list of commands does not wait for Flask.
_COMMANDS = {
    "scrub": ("scrub", "Scrub claims in files: a table to read, or the API's answers."),
    "serve": ("serve", "Serve the API, batches included."),
    "keys": ("keys", "Make and take back the keys of those who may ask."),
    "worker": ("serve", "Scrub batches, apart from the service."),
    "migrate": ("migrate", "Bring what an earlier version kept up to date."),
    "batch": ("batch", "Send many claims to a service and read what came out."),
    "convert": ("convert", "Turn an X12 file (837P) into v3 JSON, or JSON into X12."),
    "replay": ("replay", "Make an answer again, or tell what is missing for it."),
    "codes": ("codes", "Look a procedure code up."),
    "price": ("codes", "Price a service."),
    "elements": ("elements", "List what a claim can say, and what no rule asks for."),
    "rules": ("rules", "Read and check the rules."),
    "reference": ("reference", "Build and read reference data."),
}


_FAILED = 3


def _version_text() -> str:
    """The version, and whether the path of a claim is compiled (setup.py), on which its speed depends."""
    path = find_spec("scrubber.scrub")
    compiled = path is not None and path.origin is not None and not path.origin.endswith(".py")
    return f"{__version__} ({'compiled' if compiled else 'source'})"


def _give_up_output() -> None:
    """Discards output that cannot be written; Python would try again at its end, and exit with code 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _MainCommands(click.Group):
    """Commands by name, in the order in which a newcomer needs them."""

    def invoke(self, ctx: click.Context) -> object:
        """Called by click. A failure of our own is printed without its message, which may have a value of a claim."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except OSError as error:
            click.echo(f"scrubber failed: {error.strerror or 'input or output failed'}", err=True)
            _give_up_output()
            ctx.exit(_FAILED)
        except Exception as error:  # noqa: BLE001 -- nothing after this could suppress the message
            click.echo(f"scrubber failed: {orjson.dumps(describe_failure(error)).decode()}", err=True)
            ctx.exit(_FAILED)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Called by click."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Called by click."""
        if cmd_name not in _COMMANDS:
            return None
        try:
            module = import_module(f"scrubber.cli.{_COMMANDS[cmd_name][0]}")
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Called by click, which would otherwise import every command for its help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])


@click.group(cls=_MainCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version_text(), prog_name="scrubber")
def main() -> None:
    """Scrub professional claims before the payer sees them.

    \b
    scrubber scrub examples/*.json     what is wrong with these claims, and what it costs
    scrubber serve                     the same over HTTP
    scrubber rules list                the rules behind it
    """
