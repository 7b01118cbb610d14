"""Look-ups over HTTP: codes, prices and releases. They keep to the API's document and repeat nothing bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from scrubber.app import create_app
from scrubber.code_lookup.query import CODE_PARAMETERS, PRICE_PARAMETERS
from scrubber.config import Settings
from scrubber.reference.typed_tables import read_contents
from tests.api.test_api import Document, fits
from tests.conftest import ROOT
from tests.reference.storage.test_encoding import TABLES as PARTNERS
from tests.support.responses import json_of
from tests.support.service import Service, running

CODE = "/v1/codes/77089?date=2025-03-12&zip=35203"
PRICE = "/v1/price?code=77080&modifiers=26&date=2025-03-12"
RELEASES = "/v1/reference"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000)).test_client()


@pytest.fixture(scope="module")
def spec(client: FlaskClient) -> Document:
    document: Document = json_of(client.get("/openapi.json"))
    return document


def told(client: FlaskClient, address: str) -> Any:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/json"), answer.json
    return answer.json


def every_key(schema: Document, spec: Document, value: Any) -> None:
    """That nothing is told that the document does not say, and nothing left out that it promises."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for part in schema.get("anyOf", ()):
        if part.get("type") != "null" and value is not None:
            return every_key(part, spec, value)
    if isinstance(value, dict):
        assert set(schema["required"]) <= set(value) <= set(schema["properties"])
        for name, below in value.items():
            every_key(schema["properties"][name], spec, below)
    if isinstance(value, list):
        for item in value:
            every_key(schema["items"], spec, item)
    return None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (CODE, "KnownCode"),
        ("/v1/codes/77080?date=20250312&lineOfBusiness=original-medicare", "KnownCode"),
        ("/v1/codes/00000", "KnownCode"),
        ("/v1/codes/77089?date=1999-01-01", "KnownCode"),
        ("/v1/codes/77089?date=0001-01-01", "KnownCode"),
        ("/v1/codes/77089?date=9999-12-31&pos=22", "KnownCode"),
        (PRICE, "Priced"),
        ("/v1/price?code=00000", "Priced"),
        ("/v1/price?code=77080&date=0001-01-01&charge=1", "Priced"),
        ("/v1/price?code=77080&date=9999-12-31&taxonomy=363L00000X", "Priced"),
        (RELEASES, "Releases"),
    ],
)
def test_answers_keep_to_the_document(client: FlaskClient, spec: Document, address: str, name: str) -> None:
    answer = told(client, address)
    assert fits(spec, name, answer)
    every_key(spec["components"]["schemas"][name], spec, answer)


def test_the_document_names_every_parameter(spec: Document) -> None:
    validate(spec)
    of_code = {each["name"]: each for each in spec["paths"]["/v1/codes/{code}"]["get"]["parameters"]}
    assert {name for name, each in of_code.items() if each["in"] == "query"} == {each.name for each in CODE_PARAMETERS}
    of_price = {each["name"]: each for each in spec["paths"]["/v1/price"]["get"]["parameters"]}
    assert of_price.keys() == {each.name for each in PRICE_PARAMETERS}
    assert [name for name, each in of_price.items() if each.get("required")] == ["code"]


def test_a_code_is_told_with_releases(client: FlaskClient) -> None:
    answer = told(client, CODE)
    assert answer["procedure"]["standing"] == "in-force"
    assert [(each["table"], each["standing"]) for each in answer["procedure"]["releases"]] == [
        ("procedures", "in-force"),
        ("hcpcs", "in-force"),
    ]
    assert answer["mue"]["edit"]["units"] == 1
    assert answer["mue"]["release"] == {
        "table": "ncci-mue",
        "release": "2024Q3",
        "sha256": answer["mue"]["release"]["sha256"],
        "standing": "carried-forward",
    }
    assert answer["addOn"]["release"]["standing"] == "in-force"
    assert {each["allowed"] for each in answer["prices"]["units"]} == {"34.29"}
    assert {"column": 2, "indicator": "0"}.items() <= answer["ptp"]["partners"][-1].items()
    assert "tbsValue" in {each["element"] for each in answer["documentation"]}
    assert "tbs-facility-place" in {each["id"] for each in answer["rules"]}


def test_small_letters_and_both_forms_of_dates_are_understood(client: FlaskClient) -> None:
    assert told(client, "/v1/codes/g0130?date=20250312") == told(client, "/v1/codes/G0130?date=2025-03-12")


def test_without_a_date_it_is_today(client: FlaskClient) -> None:
    before = datetime.now(UTC).date().isoformat()
    answer = told(client, "/v1/codes/77089")["date"]
    assert before <= answer <= datetime.now(UTC).date().isoformat()


def test_partners_are_told_page_by_page(client: FlaskClient) -> None:
    every = told(client, CODE)["ptp"]
    pages = [told(client, f"{CODE}&page={page}&pageSize=3")["ptp"] for page in (1, 2, 3, 4)]
    assert [len(page["partners"]) for page in pages] == [3, 3, 2, 0]
    assert [partner for page in pages for partner in page["partners"]] == every["partners"]
    assert {(page["total"], page["pageSize"]) for page in pages} == {(8, 3)}


def test_a_price_has_its_arithmetic(client: FlaskClient) -> None:
    answer = told(client, PRICE + "&units=2&charge=15&pos=22")
    assert (answer["unitFee"], answer["allowed"], answer["charge"]) == ("9.06", "15.00", "15.00")
    assert answer["steps"] == ["0.28 RVU x 32.3465 = 9.06", "2 units x 9.06 = 18.12", "charge 15.00 is lower"]
    assert answer["setting"] == "facility"
    assert "unknown" not in answer
    unknown = told(client, "/v1/price?code=77080&lineOfBusiness=commercial")
    assert (unknown["allowed"], unknown["unknown"]) == (None, "no-schedule")


def test_a_zip_code_whose_nine_digits_decide_is_no_certain_place(client: FlaskClient) -> None:
    doubt = "locality 10112-00 (Alabama) by service facility ZIP (not certain: its nine digits decide)"
    price = told(client, "/v1/price?code=77089&date=2025-03-12&zip=35958")
    assert (price["allowed"], price["payer"]["contractor"]) == ("34.29", None)
    code = told(client, "/v1/codes/77089?date=2025-03-12&zip=35958")
    assert doubt in price["basis"]
    assert doubt in code["prices"]["units"][0]["basis"]
    assert code["payer"]["contractor"] is None


def test_a_modifier_that_no_table_has_is_said_to_be_ignored(client: FlaskClient) -> None:
    price = told(client, "/v1/price?code=77089&date=2025-03-12&modifiers=ZZ,59&pos=11")
    assert price["basis"] == (
        "MPFS 2025, national, profession not sent, priced in full, modifier ZZ is in no loaded table and was ignored"
    )


def test_rows_of_the_fee_schedule_tell_shares_supervision_and_add_on(client: FlaskClient) -> None:
    *_, row = told(client, "/v1/codes/77080?date=2025-03-12")["feeSchedule"]["rows"]
    assert (row["supervision"], row["addOn"]) == ("01", False)
    assert row["shares"] == {"preoperative": "0.00", "intraoperative": "0.00", "postoperative": "0.00"}


def test_releases_are_sorted_and_counted(client: FlaskClient) -> None:
    releases = told(client, RELEASES)["releases"]
    order = [(each["table"], each["effective"]["from"] or "") for each in releases]
    assert order == sorted(order)
    contents = read_contents(None)
    assert {(each["table"], each["release"], each["sha256"]) for each in releases} == {
        (each.table, each.name, each.sha256) for each in contents.releases
    }
    assert all(each["starter"] and each["loaded"] is None and each["rows"] > 0 for each in releases)


def test_add_on_relations_of_a_loaded_table(tmp_path: Path) -> None:
    for name, text in PARTNERS.items():
        (tmp_path / name).write_text(text)
    client = create_app(Settings("127.0.0.1", 0, ROOT / "rules", str(tmp_path), 1, 1, 10_000_000)).test_client()
    add_on = told(client, "/v1/codes/A0008?date=2025-03-12")["addOn"]
    assert add_on["release"]["release"] == "2025"
    assert [(each["code"], each["type"]) for each in add_on["primaries"]] == [("A0001", "3"), ("CCCCC", "3")]
    primary = told(client, "/v1/codes/A0001?date=2025-03-12")
    assert [each["code"] for each in primary["addOn"]["addOns"]] == ["A0008", "A0009"]
    assert [(each["code"], each["column"]) for each in primary["ptp"]["partners"]] == [
        ("A0002", 1),
        ("0000A", 2),
        ("A0002", 2),
    ]


CANARY = "CANARY"


@pytest.mark.parametrize("parameters", [CODE_PARAMETERS, PRICE_PARAMETERS], ids=["codes", "price"])
def test_a_bad_parameter_is_named_and_not_repeated(client: FlaskClient, spec: Document, parameters: Any) -> None:
    address = "/v1/codes/77089?" if parameters is CODE_PARAMETERS else "/v1/price?code=77080&"
    for parameter in parameters:
        bad = "" if parameter.name == "payer" else CANARY
        sent = address.replace("code=77080&", "") if parameter.name == "code" else address
        answer = client.get(f"{sent}{parameter.name}={bad}")
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
        assert f"`{parameter.name}`" in json_of(answer)["detail"]
        assert CANARY not in answer.text
        assert fits(spec, "Problem", answer.json)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/v1/codes/{CANARY}", 404),
        ("/v1/codes/M81.0", 404),
        ("/v1/codes/", 404),
        ("/v1/codes/77089/", 404),
        ("/v1/codes/77089%0a", 404),
        (f"/v1/codes/77089?{CANARY}=1", 400),
        ("/v1/codes/77089?modifiers=26", 400),
        ("/v1/codes/77089?date=20250312&date=20250313", 400),
        (f"/v1/price?code=77080&modifier={CANARY}", 400),
        ("/v1/reference?tabel=mpfs", 400),
        ("/v1/price", 400),
        ("/v1/price?modifiers=26", 400),
    ],
)
def test_what_cannot_be_asked_is_refused(client: FlaskClient, spec: Document, address: str, status: int) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert CANARY not in answer.text
    assert fits(spec, "Problem", answer.json)


@pytest.fixture
def service(tmp_path: Path, shipped_passed: Callable[[Path], Path]) -> Iterator[Service]:
    state = shipped_passed(tmp_path / "state")
    with running(tmp_path, SCRUBBER_RULES=str(ROOT / "rules"), SCRUBBER_STATE=str(state)) as service:
        yield service


def test_the_real_server_looks_up_and_logs_no_value(service: Service, client: FlaskClient) -> None:
    for address in CODE, PRICE, RELEASES:
        answer = service.ask("GET", address)
        assert answer.status == 200
        assert answer.body == client.get(address).data
    refused = service.ask("GET", f"/v1/codes/77089?date={CANARY}&{CANARY}={CANARY}")
    assert refused.status == 400
    assert CANARY not in refused.body.decode()
    service.stop()
    text = service.output.read_text()
    assert CANARY not in text
    assert "77089" not in text
    routes = {line.get("route") for line in map(orjson.loads, text.splitlines())}
    assert {"/v1/codes/<code>", "/v1/price", "/v1/reference"} <= routes
