"""Facts of single lines that rest on the fee schedule: which codes may be billed by their parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.reference import Reference, open_reference
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.load import mpfs
from scrubber.scrub import Scrubber
from tests.support.claims import tbs_claim
from tests.support.priced import DAY, claim, service_line, starter
from tests.support.published import full_size, rows_of, typed_folder

RULES = {"cms-mpfs-component-modifier", "cms-mpfs-component-doubtful", "tbs-component-modifier"}
LINES = 50  # of a claim


def invalid(shipped: Scrubber, asked: Iterable[tuple[str, str]], reference: Reference) -> set[tuple[str, str]]:
    """The codes with a modifier that the rules refuse by the fee schedule, of those asked."""
    scrubber = replace(shipped, reference=reference)
    pairs = list(dict.fromkeys(asked))
    found: set[tuple[str, str]] = set()
    for start in range(0, len(pairs), LINES):
        part = pairs[start : start + LINES]
        lines = [service_line(number, code, modifier) for number, (code, modifier) in enumerate(part, start=1)]
        findings = scrubber.scrub(claim(*lines), DAY).findings
        found |= {part[line - 1] for each in findings if each.rule.id in RULES for line in each.lines}
    return found


@pytest.mark.parametrize(
    ("code", "modifier", "refused"),
    [
        ("77080", "26", False),
        ("77080", "TC", False),
        ("93000", "26", True),
        ("99213", "TC", True),
        ("99213", "25", False),
        ("85025", "26", True),
        ("00000", "26", False),
    ],
)
def test_which_codes_have_parts(shipped: Scrubber, code: str, modifier: str, refused: bool) -> None:
    assert bool(invalid(shipped, [(code, modifier)], starter())) == refused


def test_a_part_with_a_row_is_allowed_whatever_the_indicator_of_the_whole(shipped: Scrubber, tmp_path: Path) -> None:
    whole = starter().fee("85025", "", DAY)
    assert whole is not None
    rows = [whole._replace(pc_tc="9"), whole._replace(component="26", pc_tc="6")]
    reference = open_reference(str(typed_folder(tmp_path, {"mpfs": rows})))
    assert invalid(shipped, [("85025", "26"), ("85025", "TC")], reference) == {("85025", "TC")}


@pytest.mark.proof
def test_no_part_that_is_published_is_refused_at_full_size(shipped: Scrubber, tmp_path: Path) -> None:
    source = full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz")
    rows = [row._replace(since=None) for row in rows_of(mpfs.FORMATS, source) if isinstance(row, FeeRow)]
    assert len(rows) == 19_090
    reference = open_reference(str(typed_folder(tmp_path, {"mpfs": rows})))
    whole = {row.code: row.pc_tc for row in rows if not row.component}
    published = {(row.code, row.component) for row in rows if row.component}
    found = invalid(shipped, ((row.code, modifier) for row in rows for modifier in ("26", "TC")), reference)
    assert not found & published
    allowed = {("26", "1"), ("26", "6"), ("TC", "1")}
    every = {
        (code, modifier)
        for code, indicator in whole.items()
        for modifier in ("26", "TC")
        if (modifier, indicator) not in allowed
    }
    assert found == every - published


def test_one_line_is_told_once(shipped: Scrubber) -> None:
    body = tbs_claim()
    body["claimInformation"]["serviceLines"][0]["professionalService"]["procedureModifiers"] = ["26"]
    told = [finding for finding in shipped.scrub(read_v3(body), DAY).findings if "component" in finding.rule.id]
    assert [finding.rule.id for finding in told] == ["tbs-component-modifier"]
