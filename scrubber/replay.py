"""Replays an answer: scrubs its claim again with the same versions, and lists what is missing or differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from scrubber import __version__
from scrubber.claim.model import Claim
from scrubber.config import STALE_AFTER
from scrubber.errors import DamagedRulebook, NoRulebook, NotReplayable
from scrubber.findings import read_switches
from scrubber.reference.pinned import HeldRelease, PinnedRelease, available_releases, reference_with
from scrubber.response import including
from scrubber.response.claim import CHECKS, REMEDIES, SETTLED_BY, SHADOW
from scrubber.rulebook.history import RULEBOOKS, open_archived
from scrubber.rulebook.load import DIGEST_PREFIX, digest, load_rulebook
from scrubber.scrub import OWN_VIEW, assemble
from scrubber.scrub import answer as scrub_again

NOTHING = object()  # the value of a member that only one of two answers has


class Difference(NamedTuple):
    """A member in which two answers differ: its path, outermost name first, and both values, NOTHING where absent."""

    path: tuple[str, ...]
    before: Any
    after: Any


def differences(before: object, after: object, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """The innermost members in which two JSON documents differ; the order of keys is no difference."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _member_differences(before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and (name := _NAMES.get(path[-1] if path else "")):
        yield from _member_differences(_by_name(before, name), _by_name(after, name), path)
    elif before != after:
        yield Difference(path, before, after)


def _member_differences(
    before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        yield from differences(before.get(key, NOTHING), after.get(key, NOTHING), (*path, key))


def _by_name(items: Sequence[Any], name: Callable[[Any], str]) -> dict[str, Any]:
    """The items of a list by what they are about; further items of the same name get a number."""
    by_key: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    for item in items:
        key = _or_plain(name, item)
        counts[key] += 1
        by_key[key if counts[key] == 1 else f"{key} ({counts[key]})"] = item
    return by_key


def _or_plain(name: Callable[[Any], str], item: object) -> str:
    try:
        return name(item)
    except (KeyError, TypeError, AttributeError):
        return "?"  # not an answer of this program


def _finding(item: Mapping[str, Any]) -> str:
    lines = ", ".join(map(str, (*item["lines"], *item.get("relatedLines", ()))))
    return f"{item['rule']['id']}, line {lines}" if lines else str(item["rule"]["id"])


def _release(item: Mapping[str, Any]) -> str:
    return f"{item['table']} {item['release']}"


def _pointer(item: Mapping[str, Any]) -> str:
    return str(item["pointer"])


_NAMES: Mapping[str, Callable[[Any], str]] = {
    "findings": _finding,
    "shadow": _finding,
    "notChecked": _finding,
    "reference": _release,
    "normalised": _pointer,
}


DIGEST_LENGTH = len(DIGEST_PREFIX) + 64
SHOWN_DIGITS = 12  # hex digits of a SHA-256 in messages


class RecordedAnswer(NamedTuple):
    """An answer and the versions that it names. `enable` and `disable` are ids of rules."""

    content: bytes
    document: Mapping[str, Any]
    program: str
    rulebook: str
    reference: tuple[PinnedRelease, ...]
    received_on: date
    enable: tuple[str, ...]
    disable: tuple[str, ...]
    stale_after: int | None = STALE_AFTER


class MissingVersion(NamedTuple):
    """A version that an answer names and that is not available: of the program, the rulebook or a table; and why."""

    version: str
    named: str
    why: str


class Replayed(NamedTuple):
    """The result of a replay: missing versions, or else the differences; `same_bytes` where there is none."""

    missing: tuple[MissingVersion, ...]
    differences: tuple[Difference, ...] = ()
    same_bytes: bool = False


def read_answer(content: bytes) -> RecordedAnswer:
    """The answer in a text: the API's, or one line of `scrubber scrub --json`. Raises NotReplayable."""
    content = content.strip()
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise NotReplayable(_no_json(content)) from None
    if not isinstance(document, dict):
        raise NotReplayable("is no answer of scrubber: it is no JSON object")
    if "versions" not in document and "editStatus" in document:
        raise NotReplayable(
            "is the clearinghouse view of an answer, which does not say what it was made with: replay our own view"
        )
    try:
        return _answer(content, document)
    except (KeyError, TypeError, ValueError):
        raise NotReplayable("is no answer of scrubber: `versions` or `receivedOn` is not what it writes") from None


def replay(answer: RecordedAnswer, claim: Claim, rules: Path, reference: str | None, state: Path | None) -> Replayed:
    """Scrubs the claim as it was scrubbed for the answer.

    `rules` is the folder in force, `reference` a reference store, `state` the folder with archived rulebooks. Raises
    Faults and ConfigError for a folder or store that cannot be read, WrongSwitch for switches that do not fit the
    rulebook.
    """
    held = available_releases(reference)
    folder, missing = _rules(answer.rulebook, rules, state)
    missing = (*_program(answer.program), *missing, *_releases(answer.reference, held))
    if folder is None or missing:
        return Replayed(missing)
    tables = reference_with(held[pinned] for pinned in answer.reference)
    scrubber = assemble(load_rulebook(folder), tables, answer.stale_after)
    switches = read_switches(answer.enable, answer.disable, scrubber.rulebook)
    included = _included(answer.document)
    view = including(included) if included else OWN_VIEW
    again = scrub_again(claim, scrubber, answer.received_on, switches, view).content
    if again == answer.content:
        return Replayed((), same_bytes=True)
    return Replayed((), tuple(differences(answer.document, orjson.loads(again))))


def _answer(content: bytes, document: Mapping[str, Any]) -> RecordedAnswer:
    versions, switched = document["versions"], document.get("switched", {})
    return RecordedAnswer(
        content,
        document,
        _text(versions["program"]),
        _text(versions["rulebook"]),
        tuple(_pinned_release(release) for release in versions["reference"]),
        datetime.strptime(document["receivedOn"], "%Y%m%d").replace(tzinfo=UTC).date(),
        tuple(map(_text, switched.get("enable", ()))),
        tuple(map(_text, switched.get("disable", ()))),
        _days(document.get("staleAfter", STALE_AFTER)),
    )


def _included(document: Mapping[str, Any]) -> frozenset[str]:
    """The optional members that the answer has."""
    found = {name for name in (SHADOW, SETTLED_BY) if name in document}
    if any(REMEDIES in finding for finding in (*document["findings"], *document.get(SHADOW, ()))):
        found.add(REMEDIES)
    listed = any("list" in counts for counts in document.get("checks", {}).values())
    return frozenset(found | {CHECKS}) if listed else frozenset(found)


def _pinned_release(release: Mapping[str, Any]) -> PinnedRelease:
    return PinnedRelease(
        _text(release["table"]), _text(release["release"]), _text(release["sha256"]), release.get("complete") is True
    )


def _days(value: object) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _no_json(content: bytes) -> str:
    lines = content.splitlines()
    with suppress(orjson.JSONDecodeError, IndexError):
        orjson.loads(lines[0])
        if len(lines) > 1:
            return f"holds {len(lines)} lines, each of which may be an answer: give one of them alone"
    return "is no answer of scrubber: it is no JSON"


def _program(version: str) -> tuple[MissingVersion, ...]:
    if version == __version__:
        return ()
    return (MissingVersion("program", version, f"this is {__version__}: replay with version {version} of the program"),)


def _rules(version: str, rules: Path, state: Path | None) -> tuple[Path | None, tuple[MissingVersion, ...]]:
    """The folder with the rulebook of a digest: archived, or else in force."""
    why = "it is not in force, and not kept" + (f" in {state / RULEBOOKS}" if state else ": there is no SCRUBBER_STATE")
    if not version.startswith(DIGEST_PREFIX) or len(version) != DIGEST_LENGTH:
        return None, (MissingVersion("rulebook", version, "it is no digest"),)
    try:
        if state is not None:
            return open_archived(state, version), ()
    except DamagedRulebook as error:
        why = str(error)
    except NoRulebook:
        pass
    with suppress(OSError):
        if digest(rules) == version:
            return rules, ()
    return None, (MissingVersion("rulebook", version, why),)


def _releases(
    pinned: tuple[PinnedRelease, ...], held: Mapping[PinnedRelease, HeldRelease]
) -> tuple[MissingVersion, ...]:
    return tuple(
        MissingVersion(each.table, f"{each.release} (sha256 {each.sha256})", _why(each, held))
        for each in pinned
        if each not in held
    )


def _why(pinned: PinnedRelease, held: Mapping[PinnedRelease, HeldRelease]) -> str:
    of_table = [each for each in held if each.table == pinned.table]
    for each in of_table:
        if each[:3] == pinned[:3]:
            return f"it is here, but loaded {'with' if each.complete else 'without'} --complete"
        if each.release == pinned.release:
            return f"a release of that name is here with other bytes (sha256 {each.sha256[:SHOWN_DIGITS]}…)"
    return f"of this table there are here: {', '.join(each.release for each in of_table) or 'none'}"
