"""`scrubber replay`: scrubs a claim again as for an earlier answer, and prints what differs or is missing for it."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import click
import orjson

from scrubber.cli.claim_files import claim_in, content_of
from scrubber.cli.options import Unusable, current_settings, errors_as_messages
from scrubber.errors import NotReplayable
from scrubber.replay import NOTHING, Difference, RecordedAnswer, Replayed, read_answer
from scrubber.replay import replay as replay_claim

_DIFFERENT, _MISSING = 1, 2
_WIDEST = 100
_ONLY = {"before": "only in the answer", "after": "only now"}


@click.command()
@click.argument("answer_file", metavar="ANSWER")
@click.argument("claim_file", metavar="CLAIM")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def replay(context: click.Context, answer_file: str, claim_file: str, as_json: bool) -> None:
    """Scrub a claim again as it was scrubbed for an answer, and compare.

    ANSWER is what the API or `scrubber scrub --json` gave for the body in CLAIM; one of them may be - for standard
    input. It names the version of the program, the digest of the rulebook and each release of reference data that it
    was made with; exactly those are used, whatever is in force now.

    \b
    scrubber replay answer.json claim.json
    sed -n 3p answers.ndjson | scrubber replay - claim.json

    Exit code 0: the same answer; 1: another one, and in what they differ; 2: something that it names is missing here.
    """
    answer, claim = _answer(answer_file), claim_in(claim_file)
    settings = current_settings()
    with errors_as_messages():
        done = replay_claim(answer, claim, settings.rules, settings.reference, settings.state)
    click.echo(orjson.dumps(_as_json(done)) if as_json else "\n".join(_text_lines(done)))
    if done.missing or done.differences:
        context.exit(_MISSING if done.missing else _DIFFERENT)


def _answer(file: str) -> RecordedAnswer:
    try:
        return read_answer(content_of(file))
    except NotReplayable as error:
        raise Unusable(f"{file}: {error}") from None


def _text_lines(done: Replayed) -> Iterator[str]:
    if done.missing:
        yield "The answer cannot be made again. What it was made with and is missing here:"
        for each in done.missing:
            yield from _wrapped(f"{each.version} {each.named}: {each.why}", 2)
    elif done.differences:
        yield "The answer differs:"
        for group, differing in groupby(done.differences, key=_group):
            yield f"  {group}"
            for difference in differing:
                yield from _difference_lines(difference)
    else:
        yield "the same bytes" if done.same_bytes else "the same content, in other bytes"


def _group(difference: Difference) -> str:
    """The subject of a difference: a finding, a release, or a key of the answer."""
    return " ".join(difference.path[:2]) if difference.path[0] in _LISTS else difference.path[0]


_LISTS = ("findings", "shadow", "notChecked", "normalised")


def _difference_lines(difference: Difference) -> Iterator[str]:
    path = ".".join(difference.path[2 if difference.path[0] in _LISTS else 1 :])
    for side, value, other in (
        ("before", difference.before, difference.after),
        ("after", difference.after, difference.before),
    ):
        if other is NOTHING:
            yield from _wrapped(f"{_ONLY[side]}: {_short(value)}", 4)
        elif value is not NOTHING:
            name = f"{path} " if path else ""
            yield from _wrapped(f"{name}{'was' if side == 'before' else 'now'}: {_short(value)}", 4)


def _short(value: Any) -> str:
    """A value in one line; of a finding its message."""
    if isinstance(value, Mapping) and "message" in value:
        severity = f"{value['severity']}: " if "severity" in value else ""
        return f"{severity}{value['message']}"
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _wrapped(text: str, indent: int) -> list[str]:
    width = min(shutil.get_terminal_size(fallback=(_WIDEST, 24)).columns, _WIDEST)
    return textwrap.wrap(
        text, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False
    )


def _as_json(done: Replayed) -> dict[str, Any]:
    outcome = "same-bytes" if done.same_bytes else "same-content"
    return {
        "outcome": "missing" if done.missing else "different" if done.differences else outcome,
        "missing": [each._asdict() for each in done.missing],
        "differences": [_difference_as_json(each) for each in done.differences],
    }


def _difference_as_json(difference: Difference) -> dict[str, Any]:
    values = {"before": difference.before, "after": difference.after}
    return {"place": difference.path} | {name: value for name, value in values.items() if value is not NOTHING}
