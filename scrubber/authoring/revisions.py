"""Opens a revision of the rules as a folder: a path, a digest in the archive, or a revision of git."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from scrubber.errors import NoRulebook
from scrubber.rulebook.history import is_digest, open_archived
from scrubber.rulebook.load import DIGEST_PREFIX
from scrubber.rulebook.reachability import fires_when
from scrubber.rulebook.rule import AllOf, AnyOf, Compare, Has, InList, Rule, leaves
from scrubber.rulebook.rule_tables import Payer
from scrubber.rulebook.rulebook import Rulebook
from scrubber.rulebook.satisfiable import satisfiable
from scrubber.rulebook.vocabulary import LINES_OF_BUSINESS

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
    archived = _archived(text, rules, state) if is_digest(text) else None
    if archived is not None:
        yield archived
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


def _archived(text: str, rules: Path, state: Path | None) -> Path | None:
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


def _git(rules: Path, *arguments: str) -> tuple[bytes, str]:
    """The output of git, and its error message, empty on success."""
    # A hook of git sets GIT_DIR and others, which would point git at another folder.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(rules), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=environ)  # noqa: S603 (no shell)
    except FileNotFoundError:
        return b"", "git is not installed"
    if done.returncode == 0:
        return done.stdout, ""
    output = done.stderr.decode(errors="replace").strip().splitlines()
    return b"", output[0].removeprefix("fatal: ") if output else "git failed"


CODE_FACTS = ("procedure", "first", "second")


def names_code(rule: Rule, code: str, rulebook: Rulebook) -> bool:
    """Whether a condition names the procedure code, or a list or a range that has it on any day."""
    for leaf in (*leaves(rule.applies), *leaves(rule.when)):
        if leaf.fact not in CODE_FACTS:
            continue
        match leaf:
            case Has(_, _, values) if code in values:
                return True
            case InList(_, _, name) if rulebook.lists.may_contain(name, code):
                return True
            case Compare(_, _, value) if value == code:
                return True
    return False


def may_fire_on_code(rule: Rule, code: str, rulebook: Rulebook) -> bool:
    """False only where the rule could fire on no claim line of the code; also False for rules that read no code."""
    kind = rule.kind
    facts = [fact for fact in CODE_FACTS if fact in kind.fields]
    billed = AnyOf(tuple(Compare(fact, "is", code) for fact in facts))
    return bool(facts) and satisfiable((*fires_when(rule), (billed, True)), kind, rulebook.lists)


def may_fire_for_payer(rule: Rule, payer: Payer, day: date, rulebook: Rulebook) -> bool:
    """False where the payer does not apply the rule's pack, or the rule is for other kinds of payers."""
    if rulebook.applied(rule, payer, day) is False:
        return False
    if payer.line_of_business == "unknown":
        return True
    kind = rule.kind
    theirs = AllOf((Compare("lineOfBusiness", "is", payer.line_of_business),))
    return satisfiable((*fires_when(rule), (theirs, True)), kind, rulebook.lists)


def payer_called(name: str, rulebook: Rulebook) -> Payer | None:
    """The payer of a name: a line of business, or a name of tables/aliases.csv; None for any other name."""
    if name in LINES_OF_BUSINESS:
        return Payer(None, name, None, None)
    names = {row.payer.casefold(): row.payer for row in rulebook.rows.get("aliases", ())}
    found = names.get(name.casefold())
    return Payer(found, "unknown", None, None) if found else None
