"""One contract for every place that keeps reference rows; and the ways to open one."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrubber.errors import ConfigError, Faults
from scrubber.reference import Reference, open_reference
from scrubber.reference.tables import TABLES
from scrubber.reference.typed_tables import STARTER, read_contents
from tests.support.stores import PLACES, kept_in
from tests.support.waiting import PATIENCE

OLD = date(2010, 1, 1)
DAY = date(2025, 3, 12)
FAR = date(2031, 1, 1)


@pytest.fixture(scope="module", params=PLACES)
def starter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    address = request.getfixturevalue("postgres") if request.param == "postgres" else None
    return kept_in(request.param, read_contents(None), tmp_path_factory.mktemp("starter"), address)


OWN_TABLES = {
    "releases.csv": """table,name,since,until,source
ncci-mue,2025Q1,2025-01-01,2025-04-01,made up
ncci-mue,2025Q3,2025-07-01,2025-10-01,made up
ncci-ptp,2025Q1,2025-01-01,2025-04-01,made up
icd10cm,FY2025,2024-10-01,2025-10-01,made up
""",
    "ncci-mue.csv": """code,units,indicator,since,until,source
A0001,1,2,2025-01-01,2025-07-01,made up
A0001,4,3,2025-07-01,,made up
""",
    "ncci-ptp.csv": """column1,column2,indicator,since,deleted,rationale,source
A0001,A0002,0,2020-01-01,2022-12-31,first,made up
A0001,A0002,1,2024-01-01,,again,made up
A0002,A0001,9,2021-05-05,2021-05-05,never,made up
A0001,A0003,0,2020-01-01,,first,made up
""",
    "icd10cm.csv": """code,since,until,source
M810,,,made up
X001,2025-01-01,,made up
X002,,2025-01-01,made up
""",
}


def own_folder(folder: Path) -> Path:
    for name, text in OWN_TABLES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module", params=PLACES)
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    address = request.getfixturevalue("postgres") if request.param == "postgres" else None
    folder = own_folder(tmp_path_factory.mktemp("own"))
    return kept_in(request.param, read_contents(folder), folder, address)


# Fees, factors and localities, by day


def test_a_row_of_the_fee_schedule_makes_a_code_known(tmp_path: Path) -> None:
    header, row = ((STARTER / "mpfs.csv").read_text().splitlines()[n] for n in (3, 4))
    code = row.split(",")[0]
    (tmp_path / "mpfs.csv").write_text(f"{header}\n{row.replace(code, '77999')}\n")
    (tmp_path / "releases.csv").write_text("table,name,since,until,source\nmpfs,RVU24C,2024-01-01,2025-01-01,typed\n")
    known = open_reference(str(tmp_path))
    assert known.procedure("77999", date(2024, 5, 1)) == "in-force"
    assert known.procedure("77998", date(2024, 5, 1)) == "unknown"


def test_a_fee_is_the_one_of_the_day(starter: Reference) -> None:
    in_2025 = starter.fee("77092", "", date(2025, 12, 31))
    in_2026 = starter.fee("77092", "", date(2026, 1, 1))
    assert in_2025 is not None
    assert in_2026 is not None
    assert (in_2025.facility_pe, in_2025.release) == (Decimal("0.08"), "RVU25D")
    assert (in_2026.facility_pe, in_2026.release) == (Decimal("0.09"), "RVU26C")
    assert not in_2025.facility_na


def test_a_component_has_a_fee_of_its_own(starter: Reference) -> None:
    whole, technical = starter.fee("77080", "", DAY), starter.fee("77080", "TC", DAY)
    assert whole is not None
    assert technical is not None
    assert (whole.work, technical.work) == (Decimal("0.20"), Decimal("0.00"))
    assert starter.fee("77092", "26", DAY) is None


def test_what_no_row_states_is_not_invented(starter: Reference) -> None:
    assert starter.fee("99213", "", date(2026, 3, 2)) is None
    assert starter.fee("77092", "", date(2023, 12, 31)) is None
    assert starter.fee("00000", "", DAY) is None


@pytest.mark.parametrize(
    ("day", "qualifying", "factor"),
    [
        (date(2024, 3, 8), False, "32.7442"),
        (date(2024, 3, 9), False, "33.2875"),
        (DAY, False, "32.3465"),
        (DAY, True, "32.3465"),
        (date(2026, 3, 2), False, "33.4009"),
        (date(2026, 3, 2), True, "33.5675"),
    ],
)
def test_two_factors_in_2024_by_day_and_in_2026_by_participation(
    starter: Reference, day: date, qualifying: bool, factor: str
) -> None:
    row = starter.conversion_factor(day, qualifying)
    assert row is not None
    assert row.factor == Decimal(factor)


def test_no_factor_before_the_first_one(starter: Reference) -> None:
    assert starter.conversion_factor(date(2023, 12, 31), False) is None


def test_locality_and_its_indices_by_zip(starter: Reference) -> None:
    for zip_code, locality, mp in (("35203", "10112-00", "0.575"), ("100190001", "13202-01", "1.656")):
        found = starter.locality_of_zip(zip_code, DAY)
        assert found is not None
        assert found.locality == locality
        indices = starter.gpci(found.locality, DAY)
        assert indices is not None
        assert indices.mp == Decimal(mp)


@pytest.mark.parametrize("zip_code", ["35300", "10300", "", "3", "ABCDE", "3520"])
def test_a_zip_outside_the_ranges_has_no_locality(starter: Reference, zip_code: str) -> None:
    assert starter.locality_of_zip(zip_code, DAY) is None


def test_a_split_state_has_several_contractors(starter: Reference) -> None:
    assert starter.contractors_of_state("NY", DAY) == ("13202", "13282", "13292")
    assert starter.contractors_of_state("AL", DAY) == ("10112",)
    assert starter.contractors_of_state("ZZ", DAY) == ()


# PTP pairs


def test_pairs_among_the_codes_and_no_others(starter: Reference) -> None:
    pairs = starter.ptp_among(["77089", "77092", "77080", "00000", "77092"], DAY, DAY)
    assert list(pairs) == [("77092", "77089")]
    [edit] = pairs["77092", "77089"]
    assert (edit.indicator, edit.deleted, edit.since) == ("0", None, date(2024, 4, 1))


def test_no_pair_between_the_score_and_the_density_study(starter: Reference) -> None:
    score, density = {"77089", "77090", "77091", "77092"}, {"77080", "77081", "77085", "77086"}
    among = starter.ptp_among(score | density, DAY, DAY)
    assert not [pair for pair in among if len(score.intersection(pair)) == 1]
    assert not starter.ptp_among(["77090", "77091", "77092"], DAY, DAY)


def test_a_deletion_day_is_still_in_force(starter: Reference) -> None:
    pairs = starter.ptp_among({"77080", "77081"}, DAY, DAY)
    [later], [earlier] = pairs["77080", "77081"], pairs["77081", "77080"]
    assert earlier.deleted == date(2019, 6, 30)
    assert earlier.until == later.since == date(2019, 7, 1)


def test_every_window_of_a_pair_is_there(own: Reference) -> None:
    pairs = own.ptp_among({"A0001", "A0002"}, DAY, DAY)
    assert [edit.rationale for edit in pairs["A0001", "A0002"]] == ["first", "again"]
    assert [edit.indicator for edit in pairs["A0002", "A0001"]] == ["9"]
    assert list(pairs) == [("A0001", "A0002"), ("A0002", "A0001")]


def test_no_codes_no_pairs(starter: Reference) -> None:
    assert dict(starter.ptp_among([], DAY, DAY)) == {}
    assert dict(starter.ptp_among(["77092"], DAY, DAY)) == {}


# Codes, modifiers, places, providers


@pytest.mark.parametrize(
    ("code", "day", "word"),
    [
        ("77092", date(2021, 12, 31), "not-yet-in-force"),
        ("77092", date(2022, 1, 1), "in-force"),
        ("77082", date(2014, 12, 31), "in-force"),
        ("77082", date(2015, 1, 1), "ended"),
        ("99213", OLD, "in-force"),
        ("00000", DAY, "unknown"),
    ],
)
def test_standing_of_a_procedure(starter: Reference, code: str, day: date, word: str) -> None:
    assert starter.procedure(code, day) == word


@pytest.mark.parametrize(
    ("code", "day", "word"),
    [
        ("M810", date(2024, 9, 30), "unknown"),
        ("M810", date(2024, 10, 1), "in-force"),
        ("M810", FAR, "in-force"),
        ("M81", DAY, "unknown"),
        ("X001", date(2024, 12, 31), "not-yet-in-force"),
        ("X001", date(2025, 1, 1), "in-force"),
        ("X002", date(2024, 12, 31), "in-force"),
        ("X002", date(2025, 1, 1), "ended"),
    ],
)
def test_standing_of_a_diagnosis(own: Reference, code: str, day: date, word: str) -> None:
    assert own.diagnosis(code, day) == word


def test_mue_of_the_release_in_force(own: Reference) -> None:
    found = [own.mue("A0001", day) for day in (date(2024, 12, 31), date(2025, 6, 30), date(2025, 7, 1), FAR)]
    assert [row and (row.units, row.indicator) for row in found] == [None, (1, "2"), (4, "3"), (4, "3")]


@pytest.mark.parametrize(
    ("code", "group"),
    [("LT", "anatomic"), ("25", "global-surgery-em"), ("78", "global-surgery"), ("91", "laboratory"),
     ("27", "other"), ("XS", "distinct"), ("59", "distinct"), ("GA", ""), ("26", "")],
)  # fmt: skip
def test_how_a_modifier_bears_on_a_pair(starter: Reference, code: str, group: str) -> None:
    found = starter.modifier(code, DAY)
    assert found is not None
    assert found.ncci == group


def test_a_modifier_out_of_force_is_none(starter: Reference) -> None:
    assert starter.modifier("XS", date(2014, 12, 31)) is None
    assert starter.modifier("GD", date(2020, 1, 1)) is None
    assert starter.modifier("ZZ", DAY) is None


def test_telehealth_at_home_pays_the_other_rate_since_2024(starter: Reference) -> None:
    before, since = starter.place_of_service("10", date(2023, 12, 31)), starter.place_of_service("10", date(2024, 1, 1))
    assert before is not None
    assert since is not None
    assert (before.setting, since.setting) == ("facility", "non-facility")
    assert starter.place_of_service("30", DAY) is None


@pytest.mark.parametrize(
    ("code", "provider_class", "percent"),
    [
        ("207RE0101X", "physician", "1.00"),
        ("2085R0202X", "physician", "1.00"),
        ("363LF0000X", "nurse-practitioner", "0.85"),
        ("363A00000X", "physician-assistant", "0.85"),
        ("364S00000X", "clinical-nurse-specialist", "0.85"),
        ("2471B0102X", "technologist", "1.00"),
        ("246ZX2200X", "technologist", "1.00"),
        ("163W00000X", "nurse", "1.00"),
        ("293D00000X", "laboratory", "1.00"),
    ],
)
def test_class_of_a_provider(starter: Reference, code: str, provider_class: str, percent: str) -> None:
    found = starter.taxonomy(code, DAY)
    assert found is not None
    assert (found.provider_class, found.percent) == (provider_class, Decimal(percent))


@pytest.mark.parametrize("code", ["363", "111N00000X", "", "2"])
def test_no_class_for_groups_without_a_row(starter: Reference, code: str) -> None:
    assert starter.taxonomy(code, DAY) is None


# Releases


def test_a_starter_row_is_carried_past_its_release(starter: Reference) -> None:
    words = [
        starter.table_status("ncci-ptp", day).state for day in (date(2024, 3, 31), date(2024, 9, 30), date(2024, 10, 1))
    ]
    assert words == ["before-first-release", "in-force", "carried-forward"]
    release = starter.table_status("ncci-ptp", DAY).release
    assert release is not None
    assert (release.name, release.starter) == ("2024Q3", True)
    assert starter.ptp_among({"77089", "77092"}, DAY, DAY)


def test_a_loaded_table_tells_gaps_and_its_end(own: Reference) -> None:
    days = (date(2024, 12, 31), date(2025, 3, 31), date(2025, 4, 1), date(2025, 7, 1), FAR)
    found = [own.table_status("ncci-mue", day) for day in days]
    assert [standing.state for standing in found] == [
        "before-first-release", "in-force", "past-last-release", "in-force", "past-last-release",
    ]  # fmt: skip
    assert [standing.release and standing.release.name for standing in found] == [
        "2025Q1", "2025Q1", "2025Q1", "2025Q3", "2025Q3",
    ]  # fmt: skip


def test_a_table_without_an_end_is_in_force(starter: Reference) -> None:
    for name in ("modifiers", "place-of-service", "taxonomy", "procedures", "zip-locality", "contractors"):
        assert starter.table_status(name, FAR).state == starter.table_status(name, OLD).state == "in-force"


def test_every_table_names_its_releases(starter: Reference) -> None:
    assert {release.table for release in starter.releases()} >= {"ncci-ptp", "mpfs", "icd10cm"}
    assert all(len(release.sha256) == 64 for release in starter.releases())
    assert list(starter.releases()) == sorted(
        starter.releases(), key=lambda release: (release.table, release.since or date.min)
    )


def test_a_table_in_the_folder_replaces_the_starter_table_whole(own: Reference) -> None:
    assert own.mue("77092", DAY) is None
    assert own.diagnosis("Z780", DAY) == "unknown"
    assert own.procedure("77092", DAY) == "in-force"
    assert {release.name for release in own.releases() if release.table == "ncci-ptp"} == {"2025Q1"}
    assert {release.starter for release in own.releases() if release.table == "mpfs"} == {True}


# One answer, whatever keeps the rows


CODES = sorted({row.code for row in read_contents(None).tables[TABLES["procedures"]]} | {"00000", ""})


@pytest.fixture(scope="module")
def memory() -> Reference:
    return open_reference(None)


@given(
    codes=st.sets(st.sampled_from(CODES), max_size=12),
    day=st.dates(date(2018, 1, 1), date(2028, 1, 1)),
)
def test_every_place_answers_alike(memory: Reference, starter: Reference, codes: set[str], day: date) -> None:
    assert list(memory.ptp_among(codes, day, day).items()) == list(starter.ptp_among(codes, day, day).items())
    for code in codes:
        for component in ("", "26", "TC"):
            assert memory.fee(code, component, day) == starter.fee(code, component, day)
        assert memory.mue(code, day) == starter.mue(code, day)
        assert memory.procedure(code, day) == starter.procedure(code, day)
    assert memory.conversion_factor(day, True) == starter.conversion_factor(day, True)
    assert memory.releases() == starter.releases()


def test_every_row_is_in_every_place(memory: Reference, starter: Reference) -> None:
    for release in memory.releases():
        table = TABLES[release.table]
        part = release.sha256
        assert list(memory.backend.every(table, part)) == list(starter.backend.every(table, part))


def _ask(reference: Reference, seed: int) -> str:
    day = date(2024, 1, 1) + timedelta(days=seed)
    pairs = reference.ptp_among({"77089", "77092", f"A{seed}"}, day, day)
    return str((reference.fee("77092", "", day), list(pairs.items())))


def _ask_in_child(reference: Reference, seed: int, answers: multiprocessing.Queue[str]) -> None:
    answers.put(_ask(reference, seed))


def test_threads_ask_one_reference(memory: Reference, starter: Reference) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda seed: _ask(starter, seed), range(400))) == [
            _ask(memory, seed) for seed in range(400)
        ]


def test_a_fork_asks_the_reference_it_inherited(memory: Reference, starter: Reference) -> None:
    _ask(starter, 1)
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    child = context.Process(target=_ask_in_child, args=(starter, 500, answers))
    child.start()
    assert answers.get(timeout=PATIENCE) == _ask(memory, 500)
    child.join()
    assert child.exitcode == 0
    assert _ask(starter, 501) == _ask(memory, 501)


# Opening


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("no")
    for name in ("none", "none.sqlite", "file.txt"):
        with pytest.raises(ConfigError):
            open_reference(str(tmp_path / name))


def test_every_fault_of_a_folder_is_told_at_once(tmp_path: Path) -> None:
    own_folder(tmp_path)
    (tmp_path / "ncci-mue.csv").write_text("code,units,indicator,since,until,source\nA,many,4,,,x\n")
    (tmp_path / "mpfs.csv").write_text("code\n")
    (tmp_path / "releases.csv").write_text(OWN_TABLES["releases.csv"] + "gpci,2025,,,made up\n")
    with pytest.raises(Faults) as raised:
        open_reference(str(tmp_path))
    told = "\n".join(map(str, raised.value.faults))
    for part in (
        "units: expected",
        "indicator: expected",
        "lacks the column status",
        "release of mpfs",
        "release of gpci",
    ):
        assert part in told


@pytest.mark.parametrize("ends", ["35000,36099", "35099,35000"])
def test_a_zip_range_keeps_within_its_first_three_digits(tmp_path: Path, ends: str) -> None:
    (tmp_path / "releases.csv").write_text("table,name,since,until,source\nzip-locality,x,,,made up\n")
    (tmp_path / "zip-locality.csv").write_text(
        "zip_from,zip_to,contractor,locality,state,nine_digits_decide,since,until,source\n"
        f"{ends},1,1-00,AL,no,,,made up\n"
    )
    with pytest.raises(Faults, match="ZIP range"):
        open_reference(str(tmp_path))
