"""Beside the path: a revision of the rules as a folder: a path, a digest in the archive, or a revision of git."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scrubber.errors import NoRulebook
from scrubber.rulebook.archive import is_digest, open_archived
from scrubber.rulebook.load import DIGEST_PREFIX

HEAD = "HEAD"  # what git has last


@contextmanager
def opened_revision(text: str, rules: Path, state: Path | None) -> Iterator[Path]:
    """The folder of rules that `text` names, for as long as the context lasts.

    `text` is a folder; a digest or the beginning of one (`sha256:ab12cd34`, or from 8 hex digits on) of a rulebook that
    is kept in `state`; or, where the folder `rules` lies in a git work tree, a revision of git (`HEAD~3`, `v1.2`), with
    the rules as they were in that folder. Raises NoRulebook with what is missing.
    """
    if text and Path(text).is_dir():
        yield Path(text)
        return
    kept = _kept(text, rules, state) if is_digest(text) else None
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="scrubber-rules-") as folder:
        _check_out(text, rules, Path(folder))
        yield Path(folder)


def is_git_revision(text: str, rules: Path) -> bool:
    """Whether the folder lies in a work tree of git, and git knows a revision of that name."""
    try:
        _commit(text, rules)
    except NoRulebook:
        return False
    return True


def _kept(text: str, rules: Path, state: Path | None) -> Path | None:
    """The rulebook kept under a digest; None when git knows a revision of that name, and the archive nothing."""
    try:
        if state is None:
            raise NoRulebook(f"no rulebook {text} is kept: SCRUBBER_STATE names no folder to keep them in")
        return open_archived(state, text)
    except NoRulebook:
        if not text.startswith(DIGEST_PREFIX) and is_git_revision(text, rules):
            return None
        raise


def _check_out(text: str, rules: Path, target: Path) -> None:
    """Writes the rules as they were at a revision of git into `target`."""
    # Below a work tree's top, `git archive` gives the folder that it is called in, as the top of what it gives.
    packed, trouble = _git(rules, "-c", "core.autocrlf=false", "archive", "--format=tar", _commit(text, rules))
    if trouble:
        raise NoRulebook(f"revision {text} of git has no folder {rules.name}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(target, filter="data")


def _commit(text: str, rules: Path) -> str:
    _, trouble = _git(rules, "rev-parse", "--is-inside-work-tree")
    if trouble:
        raise NoRulebook(f"{text} is no folder and no digest; as a revision of git it cannot be looked up: {trouble}")
    found, trouble = _git(rules, "rev-parse", "--verify", "--end-of-options", f"{text}^{{commit}}")
    if trouble:
        raise NoRulebook(f"{text} is no folder, no digest of a rulebook and no revision of git")
    return found.decode().strip()


def _git(rules: Path, *words: str) -> tuple[bytes, str]:
    """What git prints, and what went wrong, in its words; empty when nothing did."""
    # A hook of git sets GIT_DIR and others, which would lead away from the folder that is asked about.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(rules), *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=environ)  # noqa: S603 (no shell)
    except FileNotFoundError:
        return b"", "git is not installed"
    if done.returncode == 0:
        return done.stdout, ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return b"", said[0].removeprefix("fatal: ") if said else "git failed"
