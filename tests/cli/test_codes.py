"""`scrubber codes` and `scrubber price`: tables to read, and the API's answers."""

from __future__ import annotations

import orjson
import pytest
from click import unstyle
from click.testing import CliRunner, Result

from scrubber.app import create_app
from scrubber.cli import main
from scrubber.config import Settings
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def shipped_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("SCRUBBER_RULES", raising=False)
    monkeypatch.delenv("SCRUBBER_REFERENCE", raising=False)


def scrubber(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def test_a_code_as_a_table() -> None:
    done = scrubber("codes", "77089", "--date", "2025-03-12", "--zip", "35203")
    assert done.exit_code == 0
    told = unstyle(done.stdout)
    assert told.startswith("77089  in-force on 2025-03-12; original-medicare, contractor 10112\n")
    for part in (
        "mpfs RVU25D (in-force)",
        "all, non-facility: $34.29; MPFS 2025, locality 10112-00 (Alabama)",
        "1 a day, without exception (indicator 2)",
        "8 PTP partners, page 1 of 1",
        "77092  77089   never",
        "ncci-add-on 2024-06-03 (in-force)",
        "deny  documentation-tbs-number: The report states no TBS number",
        "tbsValue: the trabecular bone score",
    ):
        assert part in told
    assert max(map(len, told.splitlines())) <= 100


def test_a_code_that_nobody_knows_as_a_table() -> None:
    told = unstyle(scrubber("codes", "00000", "--date", "2025-03-12").stdout)
    assert told.startswith("00000  unknown on")
    assert "$" not in told


def test_a_price_as_a_table() -> None:
    done = scrubber(
        "price", "77080", "--modifiers", "26", "--date", "20250312", "--units", "2", "--pos", "22",
        "--participation", "nonpar", "--charge", "12",
    )  # fmt: skip
    assert done.exit_code == 0
    assert unstyle(done.stdout).splitlines()[:6] == [
        "77080-26 x 2 on 2025-03-12; original-medicare",
        "  allowed $12.00, one unit $8.60",
        "  MPFS 2025, national, facility, profession not sent, priced in full",
        "  0.28 RVU x 32.3465 x 0.95 (non-participating) = 8.60",
        "  2 units x 8.60 = 17.20",
        "  charge 12.00 is lower",
    ]


def test_an_amount_that_is_not_known_says_why() -> None:
    told = unstyle(scrubber("price", "77080", "--line-of-business", "commercial").stdout)
    assert "allowed unknown, one unit unknown\n  no loaded table says what this payer pays\n" in told


def test_json_is_the_apis_answer() -> None:
    client = create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000)).test_client()
    done = scrubber("codes", "77080", "--date", "20250312", "--page-size", "2", "--page", "2", "--json")
    assert done.stdout_bytes == client.get("/v1/codes/77080?date=20250312&pageSize=2&page=2").data + b"\n"
    done = scrubber("price", "77080", "--date", "20260312", "--qualifying-apm", "--json")
    assert done.stdout_bytes == client.get("/v1/price?code=77080&date=20260312&qualifyingApm=true").data + b"\n"
    assert orjson.loads(done.stdout)["qualifyingApm"] is True


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("codes", "M81.0"), "CODE"),
        (("codes", "77080", "--date", "tomorrow"), "--date"),
        (("codes", "77080", "--page-size", "5000"), "--page-size"),
        (("price", "770"), "CODE"),
        (("price", "77080", "--line-of-business", "medicare"), "--line-of-business"),
        (("price", "77080", "--units", "0"), "--units"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_name(args: tuple[str, ...], named: str) -> None:
    done = scrubber(*args)
    assert done.exit_code == 2
    assert named in done.stderr
