"""Changes the value of one key in a YAML file of an author; comments, layout and all other lines stay as they are."""

from __future__ import annotations

import re
from pathlib import Path

from scrubber.errors import Fault, Faults
from scrubber.rulebook.yaml_file import read_yaml


def set_key(path: Path, name: str, key: str, value: str, after: str) -> None:
    """Writes `value` as the value of `key`, which stands at the beginning of a line of the file.

    A file without the key gets a line with it below that of the key `after`. `name` is what faults call the file.
    Raises Faults where neither key has a line of its own.
    """
    with path.open(encoding="utf-8", newline="") as file:  # its line ends stay what they are
        text = file.read()
    text = text if text.endswith("\n") else text + "\n"
    changed, count = _line_of(key).subn(rf"\g<before>{value}\g<behind>", text)
    if not count:
        changed, count = _line_of(after).subn(rf"\g<0>\g<end>{key}: {value}", text)
    if count != 1:
        raise Faults([Fault(name, 0, f"has no line, or several, with `{key}: …` alone: change it by hand")])
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(changed)


def status_in(path: Path, name: str) -> str | None:
    """The status in a rule file, also in one that is no rule yet; None where it says none. Raises Faults: no YAML."""
    content = read_yaml(path, name).content
    status = content.get("status") if isinstance(content, dict) else None
    return status if isinstance(status, str) else None


def _line_of(key: str) -> re.Pattern[str]:
    """A line with a key and one word or quoted text; a comment may follow."""
    before = rf"""^(?P<before>["']?{re.escape(key)}["']?[ \t]*:[ \t]*)"""
    word = r"""(?:[^\s"'#{\[|>&*!][^\r\n#]*?|"[^"\r\n]*"|'[^'\r\n]*')"""
    behind = r"(?P<behind>[ \t]*(?:[ \t]#[^\r\n]*)?)(?=(?P<end>\r?\n))"
    return re.compile(before + word + behind, re.MULTILINE)
