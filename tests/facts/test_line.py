"""Facts of single lines that rest on the fee schedule: which codes may be billed by their parts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from scrubber.claim import read_v3
from scrubber.facts.documentation import Documents
from scrubber.facts.exclusions import Exclusions
from scrubber.facts.line import line_facts
from scrubber.facts.service_lines import line_views
from scrubber.reference import Reference, open_reference
from scrubber.reference.fee_rows import FeeRow
from scrubber.reference.load import mpfs
from scrubber.scrub import Scrubber
from tests.support.claims import tbs_claim
from tests.support.priced import DAY, MEDICARE, claim, rulebook, service_line, starter
from tests.support.published import full_size, rows_of, typed_folder


def invalid(asked: Iterable[tuple[str, str]], reference: Reference) -> set[tuple[str, str]]:
    """The codes with a modifier that the fee schedule does not allow, of those asked."""
    lines = [service_line(number, code, modifier) for number, (code, modifier) in enumerate(asked, start=1)]
    sent = claim(*lines)
    views = line_views(sent, MEDICARE, reference)
    exclusions = Exclusions(views, rulebook().lists)
    facts = line_facts(sent, views, Documents(sent), exclusions, rulebook(), reference, DAY, DAY)
    return {
        (fact.values["procedure"], *fact.values["modifiers"]) for fact in facts if fact.values.get("componentInvalid")
    }


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
def test_which_codes_have_parts(code: str, modifier: str, refused: bool) -> None:
    assert bool(invalid([(code, modifier)], starter())) == refused


def test_a_part_that_has_a_row_is_allowed_whatever_the_indicator_of_the_whole(tmp_path: Path) -> None:
    whole = starter().fee("85025", "", DAY)
    assert whole is not None
    rows = [whole._replace(pc_tc="9"), whole._replace(component="26", pc_tc="6")]
    reference = open_reference(str(typed_folder(tmp_path, {"mpfs": rows})))
    assert invalid([("85025", "26"), ("85025", "TC")], reference) == {("85025", "TC")}


@pytest.mark.proof
def test_no_part_that_is_published_is_refused_at_full_size(tmp_path: Path) -> None:
    source = full_size("mpfs/PPRRVU2025_Oct.nodesc.csv.xz")
    rows = [row._replace(since=None) for row in rows_of(mpfs.FORMATS, source) if isinstance(row, FeeRow)]
    assert len(rows) == 19_090
    reference = open_reference(str(typed_folder(tmp_path, {"mpfs": rows})))
    whole = {row.code: row.pc_tc for row in rows if not row.component}
    published = {(row.code, row.component) for row in rows if row.component}
    found = invalid(((row.code, modifier) for row in rows for modifier in ("26", "TC")), reference)
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
