"""Reads the YAML files of rule authors: every scalar stays text, every node keeps its line for messages.

Plain YAML would read `0450` as 296 and `NO` as False; here the schema gives the types. Anchors, aliases, tags,
repeated keys, more than 256 KB or 24 levels are faults: a rule file needs none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from scrubber.errors import Fault, Faults
from scrubber.likeness import perhaps

MOST_BYTES = 256 * 1024
MOST_LEVELS = 24

Position = tuple[str | int, ...]

UNKNOWN_KEY = "Unknown field."
_ONE_OF = "Must be one of: "  # how the messages of our schemas on words begin; the words follow, and a point
KeysAt = Callable[[Position], Collection[str]]  # the keys that are known at a position of a document

# Messages of marshmallow that mean nothing to a reader who does not program, and what to do instead.
_PLAIN_MESSAGES = {
    "Missing data for required field.": "is missing: it must be there",
    UNKNOWN_KEY: "is no key that is known here; correct it or take it out",
    "Field may not be null.": "must not be empty",
    "Not a valid integer.": "must be a whole number",
    "Not a valid string.": "must be one text",
    "Not a valid list.": "must be a list: [one, two]",
    "Not a valid mapping type.": "must be keys with values: {key: value}",
    "Invalid input type.": "must be keys with values: {key: value}",
    "Shorter than minimum length 1.": "must not be empty",
}
_OPENED = "is opened here and not closed, or a comma is missing between its parts"
_YAML_CONTEXTS = {  # reported on the line where the unfinished construct begins
    "while scanning a simple key": "a key has no colon: write `key: value`, with a blank after the colon",
    "while scanning a quoted scalar": "a quotation mark is opened here and not closed",
    "while parsing a flow mapping": "a { " + _OPENED,
    "while parsing a flow sequence": "a [ " + _OPENED,
}
_YAML_PROBLEMS = {
    "mapping values are not allowed in this context": "put a text with a colon in quotes, or add one in the line above",
    "found character that cannot start any token": "indent with blanks, not tabs, and put the text in quotes",
    "did not find expected key": "keys that belong together begin in one column, and nothing follows a closing quote",
}


class Document(NamedTuple):
    """The content of one YAML file: mappings, lists and texts (None for an empty or `null` scalar), with lines.

    `misread` are the texts without quotes that other readers of YAML take for a number, a date or a truth. `within` is
    where in its file it stands, of what is no file of its own.
    """

    file: str
    content: Any
    lines: Mapping[Position, int]
    misread: frozenset[Position] = frozenset()
    within: Position = ()

    def line(self, position: Position) -> int:
        """Line of the node at `position`, or of its nearest parent that has one."""
        while position and position not in self.lines:
            position = position[:-1]
        return self.lines.get(position, 0)

    def at(self, position: Position) -> Any:
        """The node at `position`, which must be there."""
        node = self.content
        for key in position:
            node = node[key]
        return node

    def fault(self, position: Position, message: str) -> Fault:
        """A fault at `position` of this file."""
        return Fault(self.file, self.line(position), message)


def read_yaml(path: Path, name: str) -> Document:
    """The document in `path`; `name` is what faults call the file. Raises Faults."""
    text = _text(path, name)
    scan = _FileScan(name, yaml.parse(text, Loader=yaml.CSafeLoader), {}, set(), [])
    try:
        content = _document(scan)
    except yaml.MarkedYAMLError as error:
        raise Faults([_syntax_fault(error, name)]) from None
    except yaml.YAMLError:
        raise Faults(
            [Fault(name, _line_of_control(text), "has a character that no text has: type the line anew")]
        ) from None
    if scan.faults:
        raise Faults(scan.faults)
    return Document(name, content, scan.lines, frozenset(scan.misread))


def schema_faults(document: Document, messages: Any, keys_at: KeysAt, position: Position = ()) -> Iterable[Fault]:
    """The errors of marshmallow in the document's content (`normalized_messages`) as faults, with their lines."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from schema_faults(document, below, keys_at, _below(document, position, key))
        return
    # The line gives the index in a list, and marshmallow's "key" and "value" are not in the file.
    name = ".".join(step for step in position if isinstance(step, str) and step not in ("key", "value"))
    for message in messages:
        text, like = _PLAIN_MESSAGES.get(message, message), _meant(document, message, position, keys_at)
        text = text.removesuffix(".") + like if like else text
        yield document.fault(position, f"{name}: {text}" if name else text)


def _below(document: Document, position: Position, key: str | int) -> Position:
    """The position of a key that marshmallow names; its own `_schema`, `key` and `value` are in no file."""
    ours = key in ("_schema", "key", "value") and (*position, key) not in document.lines
    return position if ours else (*position, key)


def _meant(document: Document, message: str, position: Position, keys_at: KeysAt) -> str:
    """What was perhaps meant by a key that is not known, or by a word that is none of those that may stand there."""
    if message == UNKNOWN_KEY:
        return perhaps(str(position[-1]), keys_at(position[:-1]))
    if message.startswith(_ONE_OF):
        words = message.removeprefix(_ONE_OF).removesuffix(".").split(", ")
        found = document.at(position) if position in document.lines else ""
        texts = (found, *position[-1:]) if isinstance(found, str) else position[-1:]  # a key may be what is wrong
        return next(filter(None, (perhaps(str(text), words) for text in texts)), "")
    return ""


def iso_day(text: object) -> date | None:
    """The day that a text such as 2025-03-12 names; None when it names none."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _syntax_fault(error: yaml.MarkedYAMLError, name: str) -> Fault:
    """The fault of a file that is no YAML, in plain English where there is a text for the parser's message."""
    text, mark = _YAML_PROBLEMS.get(error.problem or ""), error.problem_mark
    if text is None:
        text, mark = _YAML_CONTEXTS.get(error.context or ""), error.context_mark or mark
    if text is None:
        text, mark = ", ".join(filter(None, (error.context, error.problem))), error.problem_mark
    return Fault(name, mark.line + 1 if mark else 0, f"not YAML: {text}")


# Characters that YAML refuses, and those that reverse the direction of text: a message could appear to say something
# else.
_CONTROL = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def _line_of_control(text: str) -> int:
    """The line of the first character that YAML refuses."""
    found = _CONTROL.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 0


def _text(path: Path, name: str) -> str:
    try:
        if not path.is_file():
            raise Faults([Fault(name, 0, _no_file(path))])
        if path.stat().st_size > MOST_BYTES:
            raise Faults([Fault(name, 0, f"larger than {MOST_BYTES // 1024} KB: split it")])
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Faults([Fault(name, 0, "not UTF-8: save the file as UTF-8")]) from None
    except OSError as error:
        raise Faults([Fault(name, 0, f"cannot be read: {error.strerror}")]) from None


def _no_file(path: Path) -> str:
    if path.is_dir():
        return "is a folder: a rule is a file"
    return "is no file that can be read" if path.exists() or path.is_symlink() else "there is no such file"


class _FileScan(NamedTuple):
    """A file while it is read: what is left of it, and what was collected."""

    file: str
    events: Iterator[Any]
    lines: dict[Position, int]
    misread: set[Position]
    faults: list[Fault]

    def refused(self, event: Any, message: str) -> Faults:
        """The fault of something that ends the reading of the file."""
        return Faults([Fault(self.file, event.start_mark.line + 1, message)])


_NUMBER = re.compile(r"[0-9]+([eE][0-9]+)?")  # as YAML 1.2 reads it; the resolver has the type under 1.1
_TEXT = "tag:yaml.org,2002:str"
_RESOLVER: Any = yaml.resolver.Resolver()


def _document(scan: _FileScan) -> Any:
    """The content of the only document of a file."""
    next(scan.events)  # the stream begins
    if isinstance(next(scan.events), yaml.StreamEndEvent):
        raise Faults([Fault(scan.file, 0, "the file is empty")])
    content = _content(next(scan.events), (), scan, 1)
    next(scan.events)  # the document ends
    after = next(scan.events)
    if not isinstance(after, yaml.StreamEndEvent):
        raise scan.refused(after, "a second document begins here: a file holds one")
    return content


def _content(event: Any, position: Position, scan: _FileScan, level: int) -> Any:
    """The value that begins with an event; `level` says how deep it would lie as a list or as keys."""
    _refuse_reference(event, scan)
    scan.lines[position] = event.start_mark.line + 1
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, position, scan)
    if level > MOST_LEVELS:
        raise scan.refused(event, f"nested deeper than {MOST_LEVELS} levels")
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Any] = []
        while not isinstance(item := next(scan.events), yaml.SequenceEndEvent):
            items.append(_content(item, (*position, len(items)), scan, level + 1))
        return items
    return _mapping(position, scan, level)


def _refuse_reference(event: Any, scan: _FileScan) -> None:
    if isinstance(event, yaml.AliasEvent) or event.anchor:
        raise scan.refused(event, "anchors and aliases are not allowed: write the value out")
    if event.tag:
        raise scan.refused(event, "tags are not allowed")


def _scalar(event: Any, position: Position, scan: _FileScan) -> str | None:
    text: str = event.value
    if _CONTROL.search(text):
        scan.faults.append(Fault(scan.file, scan.lines[position], "a text holds a control character: take it out"))
    if event.style:  # None or "" without quotes, by the version of libyaml
        return text
    if text in ("", "~", "null"):
        return None
    if _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) != _TEXT or _NUMBER.fullmatch(text):
        scan.misread.add(position)
    return text


def _mapping(position: Position, scan: _FileScan, level: int) -> dict[str, Any]:
    content: dict[str, Any] = {}
    while not isinstance(key_event := next(scan.events), yaml.MappingEndEvent):
        line = key_event.start_mark.line + 1
        if not isinstance(key_event, yaml.ScalarEvent):
            scan.faults.append(Fault(scan.file, line, "a key must be a word"))
            aside = scan._replace(lines={}, misread=set(), faults=[])
            _content(key_event, (), aside, level + 1)
            _content(next(scan.events), (), aside, level + 1)
            continue
        _refuse_reference(key_event, scan)
        key: str = key_event.value
        if key in content:
            scan.faults.append(Fault(scan.file, line, f"`{key}` stands here twice"))
        content[key] = _content(next(scan.events), (*position, key), scan, level + 1)
        scan.lines[(*position, key)] = line
    return content
