"""`scrubber rules`: commands for authors of rules and for operators who put them in force."""

from __future__ import annotations

from importlib import import_module

import click

# By command: the module below this package, which is imported when the command is called, and what it does.
_COMMANDS = {
    "new": ("write", "Write a new rule and its test cases."),
    "list": ("read", "List rules by pack, code, payer, status or day."),
    "show": ("read", "Show a rule: what, why, by whose authority, examples."),
    "tables": ("tables", "List the tables that rules look things up in, and their rows."),
    "lint": ("write", "Check rules, tests and tables."),
    "test": ("test", "Run the test cases of rules."),
    "explain": ("read", "Tell why rules fired or did not on a claim."),
    "diff": ("diff", "Compare two rulebooks by what they mean."),
    "changes": ("diff", "Check that CHANGES.md tells what has changed."),
    "coverage": ("coverage", "Show which conditions the test cases of rules made true and false."),
    "mutate": ("mutate", "Show small changes of rules that no test case notices."),
    "backtest": ("backtest", "Try rules on past claims, and hold them against what payers did."),
    "promote": ("edit", "Make a draft shadow or active, or a draft again."),
    "reload": ("reload", "Put changed rules in force in the running service."),
    "rollback": ("reload", "Bring back the rules that were in force before."),
    "migrate": ("edit", "Write packs in the newest grammar of the rule language."),
    "index": ("edit", "Write README.md of the rules: every rule by pack."),
    "archive": ("diff", "List the rulebooks that are kept, so that their answers can be replayed."),
    "schema": ("write", "Write the JSON Schemas with which editors complete rule files."),
}


class _RulesCommands(click.Group):
    """Commands by name, in the order in which a rule author needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Called by click."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Called by click."""
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        name = "every" if cmd_name == "list" else cmd_name  # `list` is a name of Python
        command: click.Command = getattr(import_module(f"scrubber.cli.rules.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Called by click, which would otherwise import every command for its help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])


@click.group(cls=_RulesCommands)
def rules() -> None:
    """Read, check and test the rules: those in SCRUBBER_RULES, else in rules/.

    \b
    scrubber rules list --pack documentation
    scrubber rules show documentation-tbs-number
    scrubber rules lint
    scrubber rules test documentation-tbs-number
    scrubber rules explain claim.json --line 2
    scrubber rules coverage documentation-tbs-number
    scrubber rules backtest --rules documentation-tbs-number --claims last-year.ndjson
    """
