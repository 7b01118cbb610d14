"""`scrubber rules diff`, `changes` and `archive`: compare rulebooks, check change logs, list archived rulebooks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import click
import orjson

from scrubber.authoring.changelog import changelog_faults
from scrubber.authoring.diff import WORDING, KeyChange, PackChange, RulebookDifference, RuleChange, rulebook_difference
from scrubber.authoring.diff_declarations import DeclarationChange
from scrubber.authoring.diff_tables import DAYS, Days, TableRowChange, describe_days
from scrubber.authoring.revisions import HEAD, is_git_revision, opened_revision
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.cli.rules.options import counted
from scrubber.cli.terminal import columns
from scrubber.rulebook.history import CHANGES, RULEBOOKS, ArchivedRulebook, archived_rulebooks

WIDTH = 80
SHORT = len("sha256:") + 12
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def page(found: RulebookDifference) -> str:
    """Every difference, as text."""
    if not found.any:
        return "the same meaning, in the same words"
    return "\n".join(
        [
            f"{found.before[:SHORT]} -> {found.after[:SHORT]}",
            *(line for pack in found.packs for line in _pack(pack)),
            *(line for each in found.declarations for line in _declaration(each)),
            *(line for rule in found.rules for line in _rule(rule)),
            *(line for row in found.rows for line in _row(row)),
            "",
            _counts(found),
        ]
    )


def as_json(found: RulebookDifference) -> dict[str, Any]:
    """Every difference, as data; dates in ISO form, `to` is the first day no longer affected."""
    return {
        "before": found.before,
        "after": found.after,
        "packs": [{"pack": each.name, "way": each.way, "changes": list(map(_key_json, each.changes))}
                  for each in found.packs],
        "declarations": [_declaration_json(each) for each in found.declarations],
        "rules": [_rule_json(each) for each in found.rules],
        "rows": [_row_json(each) for each in found.rows],
    }  # fmt: skip


def _counts(found: RulebookDifference) -> str:
    texts = [
        f"{counted(len(ways), what)} {way}"
        for what, changes in (
            ("pack", found.packs),
            ("declaration", found.declarations),
            ("rule", found.rules),
            ("row", found.rows),
        )
        for way in _SIGNS
        if (ways := [change for change in changes if change.way == way])
    ]
    faults = sum(each.fault is not None for each in found.rules)
    return ", ".join([*texts, *([counted(faults, "fault")] if faults else [])])


def _pack(change: PackChange) -> Iterator[str]:
    yield ""
    yield f"{_SIGNS[change.way]} pack {change.name}"
    for key, before, after in change.changes:
        yield from _was_now(key + ("" if key == "adoption" else " (wording)"), before, after)


def _declaration(change: DeclarationChange) -> Iterator[str]:
    yield ""
    yield f"{_SIGNS[change.way]} {change.what} {change.name} ({change.file})"
    for part, before, after in change.changes:
        yield from _was_now(part, before, after)


def _rule(change: RuleChange) -> Iterator[str]:
    rule = change.rule
    yield ""
    yield f"{_SIGNS[change.way]} rule {rule.id}{_version(change)}"
    if change.way != "changed":
        yield from _wrapped(rule.title, 4)
        yield from _wrapped(f"{rule.status}, {rule.severity}", 4)
    for each in change.changes:
        yield from _change(each)
    if change.changes_meaning:
        yield from _wrapped(describe_days(change.days) + ("" if change.runs else ": it does not run"), 4)
    if change.fault:
        yield from _wrapped(f"fault: {change.fault}", 4)


def _version(change: RuleChange) -> str:
    if change.before is None or change.after is None:
        return ""
    old, new = change.before.version, change.after.version
    return f" (version {old} -> {new})" if old != new else f" (version {old})"


def _change(change: KeyChange) -> Iterator[str]:
    if change.parts:
        yield f"    {change.key}"
        for part, before, after in change.parts:
            yield from _wrapped(f"{part}: {before} -> {after}", 6)
        return
    if change.removed or change.added:
        yield f"    {change.key}"
        for sign, changed_parts in (("-", change.removed), ("+", change.added)):
            for changed_part in changed_parts:
                yield from _wrapped(f"{sign} {changed_part}", 6)
        return
    yield from _was_now(change.key + (" (wording)" if change.weight == WORDING else ""), change.before, change.after)


def _was_now(key: str, before: str, after: str) -> Iterator[str]:
    line = f"    {key}: {before} -> {after}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"    {key}"
    yield from _wrapped(f"- {before}", 6)
    yield from _wrapped(f"+ {after}", 6)


def _row(change: TableRowChange) -> Iterator[str]:
    row = change.located.row
    yield ""
    yield from _wrapped(f"{_SIGNS[change.way]} row of {change.located.file}: {_key_text(change)}", 0)
    if change.before and change.after:
        for name in change.columns:
            old, new = (_cell(getattr(located.row, name)) for located in (change.before, change.after))
            yield from _was_now(name + (" (wording)" if change.wording else ""), old or "blank", new or "blank")
    else:
        texts = {name: _cell(getattr(row, name)) for name in row._fields if name not in (*change.keys, *DAYS)}
        yield from _wrapped(", ".join(f"{name} {value}" for name, value in texts.items() if value), 4)
    if not change.wording:
        yield from _wrapped(describe_days(change.days), 4)


def _key_text(change: TableRowChange) -> str:
    texts = {name: _cell(getattr(change.located.row, name)) for name in change.keys}
    return ", ".join(f"{name} {value}" for name, value in texts.items() if value) or "for everyone"


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False
    )


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
    return str(value)


def _rule_json(change: RuleChange) -> dict[str, Any]:
    return {
        "rule": change.rule.id,
        "pack": change.rule.pack,
        "way": change.way,
        "version": {"before": change.before and change.before.version, "after": change.after and change.after.version},
        "changes": [_key_change_json(each) for each in change.changes],
        "days": list(map(_days_json, change.days)),
        "fault": change.fault,
    }


def _key_change_json(change: KeyChange) -> dict[str, Any]:
    return change._asdict() | {"parts": [each._asdict() for each in change.parts]}


def _declaration_json(change: DeclarationChange) -> dict[str, Any]:
    return {
        "what": change.what,
        "name": change.name,
        "file": change.file,
        "way": change.way,
        "weight": "meaning" if change.changes_meaning else WORDING,
        "changes": [each._asdict() for each in change.changes],
    }


def _row_json(change: TableRowChange) -> dict[str, Any]:
    return {
        "file": change.located.file,
        "kind": change.kind,
        "key": {name: _cell(getattr(change.located.row, name)) for name in change.keys},
        "way": change.way,
        "weight": WORDING if change.wording else "meaning",
        "before": _row_cells(change.before and change.before.row),
        "after": _row_cells(change.after and change.after.row),
        "columns": change.columns,
        "days": list(map(_days_json, change.days)),
    }


def _row_cells(row: Any) -> dict[str, str] | None:
    return {name: _cell(getattr(row, name)) for name in row._fields} if row else None


def _key_json(change: tuple[str, str, str]) -> dict[str, str]:
    key, before, after = change
    return {"key": key, "before": before, "after": after}


def _days_json(days: Days) -> dict[str, str | None]:
    return {"from": _cell(days.since) or None, "to": _cell(days.until) or None}


_DIFFERENT = 1


@click.command()
@click.argument("before", metavar="REV")
@click.argument("after", metavar="[REV]", required=False)
@click.option("--json", "json", is_flag=True, help="As JSON.")
@click.pass_context
def diff(context: click.Context, before: str, after: str | None, json: bool) -> None:
    """Compare two rulebooks by what they mean; the second one is the folder in force unless another is named.

    REV is a folder, the digest of a rulebook that is kept (at least 8 digits; `scrubber rules archive` lists them), or
    a revision of git. Comments, layout and order make no difference. Each change tells the dates of service that it
    affects; one that is marked (wording) changes texts only. A rule that means something else under the same version
    is told as a fault.

    \b
    scrubber rules diff HEAD
    scrubber rules diff sha256:1f0c93aa7b52
    scrubber rules diff v1.0 v1.1 --json

    Exit code 0: they mean the same, in the same words; 1: they differ; 2: one of them cannot be read.
    """
    settings = current_settings()
    now = str(settings.rules) if after is None else after
    with (
        errors_as_messages(),
        opened_revision(before, settings.rules, settings.state) as old,
        opened_revision(now, settings.rules, settings.state) as new,
    ):
        found = rulebook_difference(old, new, before, now)
    click.echo(orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2) if json else page(found))
    if found.any:
        context.exit(_DIFFERENT)


@click.command()
@click.option("--against", metavar="REV", help="Since this revision; default: what git has last, HEAD.")
@click.pass_context
def changes(context: click.Context, against: str | None) -> None:
    """Check that CHANGES.md of each pack tells what has changed since a revision; exit 1 when one does not.

    Each rule and table that means something else must be mentioned in backticks under a new entry, and nothing else;
    and its version must be raised. REV is a folder, a digest or a revision of git, as for `scrubber rules diff`. A
    kept rulebook has no CHANGES.md: compared with one, the entries above the heading that names it are the new ones.

    \b
    ## 2026-12-01
    \b
    - `documentation-tbs-number` version 2: a score in words is no number.
    - `limits.csv`: plausible scores begin at 0.7 in 2027.

    \b
    scrubber rules changes
    scrubber rules changes --against v1.0
    """
    settings = current_settings()
    if against is None and not is_git_revision(HEAD, settings.rules):
        raise Unusable(f"{settings.rules} is not kept in git: say --against which rules, a folder or a digest")
    since = against or HEAD
    with errors_as_messages(), opened_revision(since, settings.rules, settings.state) as before:
        found = rulebook_difference(before, settings.rules, since, str(settings.rules))
        faults = changelog_faults(before, settings.rules, found)
    for fault in faults:
        click.echo(f"{settings.rules}/{fault}")
    if faults:
        click.echo(counted(len(faults), "fault"))
        context.exit(1)
    texts = ", ".join((counted(len(found.rules), "rule"), counted(len(found.rows), "row")))
    click.echo(f"{CHANGES} tells all that has changed since {since}: {texts}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def archive(as_json: bool) -> None:
    """List the rulebooks that are kept, the newest first.

    `scrubber serve` and `scrubber scrub --json` keep each rulebook that answers, once, so that `scrubber replay` can
    make an answer again. SCRUBBER_STATE names the folder. To forget a rulebook, remove its folder.

    \b
    scrubber rules archive
    scrubber rules diff sha256:1f0c93aa7b52
    """
    state = current_settings().state
    if state is None:
        raise Unusable("nothing is kept: SCRUBBER_STATE names no folder to keep it in")
    archived = archived_rulebooks(state)
    if as_json:
        click.echo(orjson.dumps([_as_json(each) for each in archived], option=orjson.OPT_INDENT_2))
        return
    if not archived:
        click.echo(f"no rulebook is kept in {state / RULEBOOKS}")
        return
    rows = [(each.digest[:SHORT], f"{each.since:%Y-%m-%d %H:%M} UTC", each.rules) for each in archived]
    click.echo("\n".join(columns(("digest", "kept since", "rules"), rows, right=frozenset({"rules"}))))


def _as_json(each: ArchivedRulebook) -> dict[str, object]:
    since = each.since.isoformat(timespec="seconds")
    return {"digest": each.digest, "since": since, "rules": each.rules, "folder": str(each.folder)}
