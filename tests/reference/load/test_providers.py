"""Lists of providers: who may order and refer, and the national registry."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from typing import BinaryIO, NamedTuple, TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.errors import Faults
from scrubber.reference.load import providers
from scrubber.reference.load.format import BadRow, Format, StatedRelease
from scrubber.reference.rows import EnumeratedProvider, OrderingProvider
from tests.support.published import Published, published, reader_of, reads_or_refuses, rows_of

ALL = [*providers.ORDER_FORMATS, *providers.NPPES_FORMATS]
ORDERING = "NPI,LAST_NAME,FIRST_NAME,PARTB,DME,HHA,PMD,HOSPICE"
OTHER_COLUMNS = [f"Column {number}" for number in range(280)]
REGISTRY = ["NPI", "Entity Type Code", *OTHER_COLUMNS, *providers.WANTED[2:]]


def registered(npi: str, entity: str = "1", **cells: str) -> str:
    """A record of the registry; `t1`, `p1` … are taxonomy slots and their primary switches."""
    names = {
        "enumerated": providers.ENUMERATED, "deactivated": providers.DEACTIVATED, "reactivated": providers.REACTIVATED,
        **{f"t{slot + 1}": name for slot, name in enumerate(providers.TAXONOMIES)},
        **{f"p{slot + 1}": name for slot, name in enumerate(providers.PRIMARIES)},
    }  # fmt: skip
    given = {names[key]: value for key, value in cells.items()} | {"NPI": npi, "Entity Type Code": entity}
    return ",".join(f'"{given.get(name, "")}"' for name in REGISTRY)


HEADER = ",".join(f'"{name}"' for name in REGISTRY)


def test_flags_of_who_may_order_and_no_names() -> None:
    rows = rows_of(ALL, published(ORDERING, "1000000004,EXAMPLE,PAT,Y,Y,Y,Y,N", "1000000012,SAMPLE,,Y,N,N,N,N"))
    assert rows == [
        OrderingProvider("1000000004", True, True, True, True, False, None, None, "CMS Order and Referring"),
        OrderingProvider("1000000012", True, False, False, False, False, None, None, "CMS Order and Referring"),
    ]


def test_what_the_registry_says_of_an_npi_and_no_more() -> None:
    rows = rows_of(
        ALL,
        published(
            HEADER,
            registered("1000000004", enumerated="05/23/2005", t1="207R00000X", p1="N", t2="207RE0101X", p2="Y"),
            registered("1000000012", "2", enumerated="01/02/2020"),
            registered("1000000020", "", deactivated="03/01/2021"),
            registered("1000000038", enumerated="01/02/2020", deactivated="03/01/2021", reactivated="04/01/2021"),
            registered("1000000046", deactivated="05/01/2022", reactivated="04/01/2021"),
        ),
    )
    assert rows[0] == EnumeratedProvider(
        "1000000004", "person", "207RE0101X 207R00000X", None, None, date(2005, 5, 23), None, "CMS NPPES"
    )
    assert [(row.entity, row.deactivated, row.until) for row in rows[1:]] == [
        ("organization", None, None),
        (None, date(2021, 3, 1), date(2021, 3, 1)),
        ("person", date(2021, 3, 1), None),
        ("person", date(2022, 5, 1), date(2022, 5, 1)),
    ]


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (ORDERING, "100000000,A,B,Y,Y,Y,Y,N", "NPI"),
        (ORDERING, "3000000004,A,B,Y,Y,Y,Y,N", "NPI"),
        (ORDERING, "1000000004,A,B,Y,Y,,Y,N", "HHA"),
        (ORDERING, "1000000004,A,B,Y,Y,Y,Y,yes", "HOSPICE"),
        (ORDERING, "1000000004,A,Y,Y,Y,Y,N", None),
        (ORDERING, '1000000004,"A,B,Y,Y,Y,Y,N', None),
        (HEADER, registered("1000000004", "3"), "Entity Type Code"),
        (HEADER, registered("1000000004", deactivated="2021-03-01"), providers.DEACTIVATED),
        (HEADER, registered("1000000004", enumerated="02/30/2021"), providers.ENUMERATED),
        (HEADER, registered("1000000004", t3="207R"), providers.TAXONOMIES[2]),
        (HEADER, registered("")[3:], None),
    ],
)
def test_a_broken_row_is_told_by_line_and_column(header: str, row: str, column: str | None) -> None:
    (bad,) = rows_of(ALL, published(header, row))
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.column) == (2, column)


def test_no_fault_tells_what_a_row_held() -> None:
    for row in ("SECRET,SECRET,SECRET,Y,Y,Y,Y,N", "1000000004,SECRET,SECRET,Y,Y,Y,Y,SECRET", '"SECRET"SECRET'):
        (bad,) = rows_of(ALL, published(ORDERING, row))
        assert "SECRET" not in repr(bad)


def test_a_changed_header_is_refused() -> None:
    with pytest.raises(Faults, match="unknown column 'NEW'"):
        rows_of(ALL, published(ORDERING + ",NEW"))
    with pytest.raises(Faults, match="lacks the column HOSPICE"):
        rows_of(ALL, published(ORDERING.removesuffix(",HOSPICE")))
    with pytest.raises(Faults, match="lacks the column NPI Deactivation Date"):
        rows_of(ALL, published(HEADER.replace("NPI Deactivation Date", "Deactivated")))


def test_the_registry_may_grow_by_columns_that_nobody_reads() -> None:
    (row,) = rows_of(ALL, published(HEADER + ',"New"', registered("1000000004") + ',"x"'))
    assert row.npi == "1000000004"


@pytest.mark.parametrize(
    ("header", "name", "day"),
    [
        (ORDERING, "OrderReferring_20261116.csv", date(2026, 11, 16)),
        (HEADER, "NPPES.zip!npidata_pfile_20050523-20261108.csv", date(2026, 11, 8)),
        (ORDERING, "OrderReferring_20261399.csv", None),
        (HEADER, "npidata.csv", None),
    ],
)
def test_the_day_is_in_the_published_name(header: str, name: str, day: date | None) -> None:
    source = published(header, name=name)
    assert reader_of(ALL, source).stated(source) == (StatedRelease(day.isoformat(), day) if day else StatedRelease())


class Made(NamedTuple):
    """A Source whose lines are made while they are read."""

    lines: Callable[[], Iterator[str]]
    name: str = "file"

    def binary(self) -> BinaryIO:
        raise NotImplementedError

    def text(self, encoding: str = "utf-8-sig") -> TextIO:
        return _Lines(self.lines())


class _Lines(io.StringIO):
    def __init__(self, lines: Iterator[str]) -> None:
        super().__init__()
        self._made = lines

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        return next(self._made, "")


def made(header: str, row: str, count: int) -> Made:
    return Made(lambda: chain([header + "\n"], (f"{1_000_000_000 + n}{row}\n" for n in range(count))))


@pytest.mark.parametrize(
    ("reader", "source", "count"),
    [
        (providers.ORDER_FORMATS[0], made(ORDERING, ",EXAMPLE,PAT,Y,Y,Y,Y,N", 20_000), 20_000),
        pytest.param(
            *(providers.ORDER_FORMATS[0], made(ORDERING, ",EXAMPLE,PAT,Y,Y,Y,Y,N", 1_000_000), 1_000_000),
            marks=pytest.mark.proof,
        ),
        (providers.NPPES_FORMATS[0], made(HEADER, registered("", t1="207R00000X", p1="Y")[2:], 5_000), 5_000),
    ],
)
def test_memory_does_not_grow_with_the_file(reader: Format, source: Made, count: int) -> None:
    tracemalloc.start()
    try:
        assert sum(not isinstance(row, BadRow) for row in reader.read(source)) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_line_without_end_is_refused() -> None:
    endless = Made(lambda: iter([ORDERING + "\n", "x" * (8 * 1024 * 1024)]))
    with pytest.raises(Faults, match="8 million characters"):
        list(providers.ORDER_FORMATS[0].read(endless))


SAMPLES = [
    published(ORDERING, "1000000004,EXAMPLE,PAT,Y,Y,Y,Y,N"),
    published(HEADER, registered("1000000004", t1="207R00000X")),
]


@given(st.sampled_from(SAMPLES), st.binary(max_size=300), st.data())
def test_garbage_is_refused_or_told_row_by_row(sample: Published, garbage: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample.content)))
    reads_or_refuses(ALL, Published(garbage))
    reads_or_refuses(ALL, Published(sample.content[:at] + garbage + sample.content[at:]))
