"""The partition mapper, alone and under Dask's local scheduler, from files in a folder to files in a folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from scrubber.errors import WrongSwitch
from scrubber.partition import ROWS_IN_MEMORY, scrub_lines, scrub_rows
from scrubber.scrub import Scrubber
from tests.support.batches import RECEIVED, claims, context, ndjson, result_bytes, submit, work_off
from tests.support.service import ROOT
from tests.support.x12 import BODY, envelope

RULES = str(ROOT / "rules")
DAY = RECEIVED.isoformat().replace("-", "")
scrubbed = partial(scrub_lines, received_on=DAY, rules=RULES)


def test_results_are_those_of_a_batch_whatever_the_rows_are(tmp_path: Path, shipped: Scrubber) -> None:
    rows = [*claims(ROWS_IN_MEMORY + 3), b"junk"]
    on = context(tmp_path, shipped)
    submit(on, b"\n".join(rows))
    work_off(on)
    expected = result_bytes(on).splitlines()
    assert list(scrubbed(rows)) == expected
    assert list(scrubbed(row.decode() for row in rows)) == expected
    mappings = [orjson.loads(row) for row in rows[:-1]]
    assert list(scrub_rows(mappings, DAY, RULES)) == [orjson.loads(line) for line in expected[:-1]]


def test_rows_are_read_as_they_are_asked_for() -> None:
    read = []

    def rows() -> Iterator[bytes]:
        for number, row in enumerate(claims(3 * ROWS_IN_MEMORY)):
            read.append(number)
            yield row

    next(scrubbed(rows()))
    assert len(read) <= ROWS_IN_MEMORY


def test_switches_hold_and_wrong_ones_are_told() -> None:
    [result] = scrub_rows(claims(1), DAY, RULES, disable=("cms-ncci-ptp-column-two",))
    assert result["answer"]["switched"]["disable"] == ["cms-ncci-ptp-column-two"]
    with pytest.raises(WrongSwitch):
        list(scrubbed(claims(1), enable=("no-such-rule",)))


def test_a_row_of_another_kind_is_refused_and_one_that_is_no_text_is_rejected() -> None:
    with pytest.raises(TypeError):
        list(scrub_rows([7], DAY, RULES))  # type: ignore[list-item]
    results = scrub_rows(["\ud800", "\n", None], DAY, RULES)
    assert [result["rejected"]["title"] for result in results] == [
        "The row is not JSON",
        "The row is not JSON",
        "The row is not a claim",
    ]


def test_a_scrubber_is_opened_once_a_process() -> None:
    code = f"""
from scrubber import partition, scrub
opened = []
real = scrub.load_rulebook
scrub.load_rulebook = lambda folder: opened.append(folder) or real(folder)
for _ in range(3):
    list(partition.scrub_rows([], "{DAY}", {RULES!r}))
assert len(opened) == 1
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("processes", [1, 2])
def test_ndjson_in_a_folder_under_dask(tmp_path: Path, processes: int) -> None:
    bag = pytest.importorskip("dask.bag", reason="the extra dask is not installed")
    dask = pytest.importorskip("dask")
    _write(tmp_path / "claims", 4)
    with dask.config.set(scheduler="processes" if processes > 1 else "sync", num_workers=processes):
        read = bag.read_text(str(tmp_path / "claims" / "*.ndjson"))
        read.map_partitions(scrubbed).to_textfiles(str(tmp_path / "results" / "*.ndjson"))
    found = [line for file in sorted((tmp_path / "results").iterdir()) for line in file.read_bytes().splitlines()]
    assert found == [line for file in _files(tmp_path) for line in scrubbed(file.read_bytes().splitlines())]


def test_parquet_in_a_folder_under_dask(tmp_path: Path) -> None:
    bag = pytest.importorskip("dask.bag", reason="the extra dask is not installed")
    dask = pytest.importorskip("dask")
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    arrow = pytest.importorskip("pyarrow")
    _write(tmp_path / "claims", 2)
    for file in _files(tmp_path):
        table = arrow.table({"claim": file.read_bytes().splitlines()})
        parquet.write_table(table, file.with_suffix(".parquet"))

    def rows(file: str) -> Iterator[Any]:
        for batch in parquet.ParquetFile(file).iter_batches(columns=["claim"]):
            yield from batch.column("claim").to_pylist()

    def write(results: Iterable[bytes], file: str) -> list[str]:
        parquet.write_table(arrow.table({"result": list(results)}), file)
        return [file]

    def scrub(file: str) -> str:
        return write(scrubbed(rows(file)), file.replace(".parquet", ".results"))[0]

    with dask.config.set(scheduler="sync"):
        written = bag.from_sequence(map(str, sorted((tmp_path / "claims").glob("*.parquet")))).map(scrub).compute()
    found = [line for file in written for line in parquet.read_table(file).column("result").to_pylist()]
    assert found == [line for file in _files(tmp_path) for line in scrubbed(file.read_bytes().splitlines())]


def _write(folder: Path, files: int) -> None:
    folder.mkdir()
    rows = ndjson(10 * files).splitlines(keepends=True)
    for number in range(files):
        (folder / f"{number}.ndjson").write_bytes(b"".join(rows[10 * number : 10 * number + 10]))


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "claims").glob("*.ndjson"))


def test_rows_of_x12_give_a_result_a_claim_and_go_on_with_the_next_row() -> None:
    several = envelope().replace(b"SE*", b"SE*1")
    one = envelope(BODY.partition("\nHL*3*2*23")[0])
    results = list(scrub_rows([*claims(1), several, one.decode(), b"ISA*00", *claims(1)], DAY, RULES))
    assert [result["row"] for result in results] == [1, 2, 3, 4, 5, 6, 7]
    numbers = [result["claimNumber"] for result in results]
    assert numbers[1:5] == ["CLAIM-1", "CLAIM-2", None, "CLAIM-1"]
    assert "(SE01): the count is not what was counted" in results[3]["rejected"]["errors"][0]["detail"]
    assert "ISA ends after 6 of its 106 characters" in results[5]["rejected"]["errors"][0]["detail"]
    assert "answer" in results[6]
