"""Query parameters: each route says which it knows, and refuses others; the day of receipt is one of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from scrubber.app import create_app
from scrubber.cli import main
from scrubber.config import Settings
from tests.support.claims import office_claim, tbs_claim
from tests.support.responses import json_of
from tests.support.service import JSON, ROOT, write_rules

SCRUB, EXPLAIN = "/v1/claims/scrub", "/v1/claims/explain"
_VARIABLE = re.compile(r"\{[^}]*\}|<[^>]*>")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    rules = write_rules(tmp_path_factory.mktemp("rules"), ("sample-denied", "deny", "77092"))
    state = tmp_path_factory.mktemp("state")
    return create_app(Settings("127.0.0.1", 0, rules, None, 1, 1, 10_000_000, state=state))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def documented(app: Flask) -> list[tuple[str, str, frozenset[str]]]:
    """Address, method and query parameters of each operation in the OpenAPI document."""
    spec: Any = app.test_client().get("/openapi.json").json
    return [
        (path, method.upper(), frozenset(one["name"] for one in told.get("parameters", ()) if one["in"] == "query"))
        for path, operations in spec["paths"].items()
        for method, told in operations.items()
        if method != "parameters"
    ]


def routes(app: Flask) -> list[tuple[str, str]]:
    """Every address that the application answers, the pages too, with every method but those that Flask adds."""
    return [
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
    ]


def test_every_documented_route_refuses_a_parameter_that_it_does_not_know(app: Flask, client: FlaskClient) -> None:
    asked = documented(app)
    assert len(asked) >= 15
    for path, method, names in asked:
        answer = client.open(_VARIABLE.sub("x", path) + "?CANARY=CANARY", method=method)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json"), path
        assert "CANARY" not in answer.text
        assert set(re.findall(r"\w+", json_of(answer)["detail"])) >= names, path


def test_every_other_route_refuses_it_too(app: Flask, client: FlaskClient) -> None:
    """The pages and their files, and the document itself."""
    asked = routes(app)
    assert {"/", "/docs", "/docs/<name>", "/openapi.json", "/healthz"} <= {path for path, _ in asked}
    for path, method in asked:
        answer = client.open(_VARIABLE.sub("docs.js", path) + "?v=1", method=method)
        assert answer.status_code == 400, (method, path)


def test_every_documented_parameter_is_known_and_refused_when_its_value_is_wrong(
    app: Flask, client: FlaskClient
) -> None:
    tried = 0
    for path, method, names in documented(app):
        for name in names:
            answer = client.open(f"{_VARIABLE.sub('x', path)}?{name}=CANARY", method=method)
            assert "are known here" not in answer.text, (path, name)
            assert "CANARY" not in answer.text
            tried += 1
    assert tried >= 30


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("veiw=clearinghouse", "Probably meant: `view`."),
        ("recievedOn=20240101", "Probably meant: `receivedOn`."),
        ("received_on=20240101&VIEW=x", "Probably meant: `receivedOn`, `view`."),
        ("includes=checks", "Probably meant: `include`."),
        ("quite=other", ""),
        ("=1", ""),
    ],
)
def test_the_parameter_that_was_probably_meant_is_told(client: FlaskClient, query: str, meant: str) -> None:
    answer = client.post(f"{SCRUB}?{query}", data=orjson.dumps(tbs_claim()), headers=JSON)
    assert answer.status_code == 400
    known = "Only these parameters are known here: disable, enable, include, receivedOn, view."
    assert json_of(answer)["detail"] == f"{known} {meant}".strip()


def test_thousands_of_unknown_parameters_are_one_short_refusal(client: FlaskClient) -> None:
    query = "&".join(f"CANARY{number}=1" for number in range(900))
    answer = client.post(f"{SCRUB}?{query}&{'v' * 900}=1", data=b"{}", headers=JSON)
    assert (answer.status_code, len(answer.data) < 500, "CANARY" in answer.text) == (400, True, False)


def test_a_browser_may_ask_about_a_request_with_its_query(client: FlaskClient) -> None:
    assert client.options(f"{SCRUB}?view=clearinghouse").status_code == 200
    assert client.options("/v1/rules?severity=deny").status_code == 200


@pytest.mark.parametrize("route", [SCRUB, EXPLAIN])
@pytest.mark.parametrize("text", ["20250401", "2025-04-01"])
@pytest.mark.parametrize("claim", [tbs_claim(), office_claim()])
def test_the_day_of_receipt_comes_before_the_claims_own(
    client: FlaskClient, route: str, text: str, claim: dict[str, Any]
) -> None:
    answer = client.post(f"{route}?receivedOn={text}", data=orjson.dumps(claim), headers=JSON)
    assert (answer.status_code, json_of(answer)["receivedOn"]) == (200, "20250401")


def test_the_day_of_receipt_decides_what_lies_in_the_future_on_every_way_in(tmp_path: Path) -> None:
    """With the shipped rules: a service of 2025-11-12 cannot have been received the year before."""
    client = create_app(Settings("127.0.0.1", 0, ROOT / "rules", None, 1, 1, 10_000_000)).test_client()
    body = (ROOT / "examples" / "tbs-bundled.json").read_bytes()
    file = tmp_path / "claim.json"
    file.write_bytes(body)

    def early(answer: Any) -> bool:
        return any(finding["rule"]["id"] == "x12-837p-future-date" for finding in answer["findings"])

    for day, is_early in ("20251113", False), ("2024-06-01", True):
        posted = client.post(f"{SCRUB}?receivedOn={day}", data=body, headers=JSON)
        assert early(posted.json) is is_early
        done = CliRunner().invoke(main, ["scrub", "--json", "--received-on", day, str(file)])
        assert done.stdout_bytes == posted.data + b"\n"
        told = json_of(client.post(f"{EXPLAIN}?receivedOn={day}", data=body, headers=JSON))
        assert told["receivedOn"] == day.replace("-", "")


@pytest.mark.parametrize("route", [SCRUB, EXPLAIN, "/v1/batches"])
@pytest.mark.parametrize(
    "text", ["", "20251301", "2025-1-1", "2025-0401", "20250401T00", "CANARY", "2025040", "%D9%A2025040"]
)
def test_a_day_of_receipt_that_is_none_is_refused(client: FlaskClient, route: str, text: str) -> None:
    answer = client.post(f"{route}?receivedOn={text}", data=orjson.dumps(tbs_claim()), headers=JSON)
    assert (answer.status_code, "CCYYMMDD or CCYY-MM-DD" in json_of(answer)["detail"]) == (400, True)
    assert "CANARY" not in answer.text


@pytest.mark.parametrize("text", ["00010101", "99991231"])
def test_the_first_and_the_last_day_of_the_calendar_are_days(client: FlaskClient, text: str) -> None:
    for route in SCRUB, EXPLAIN:
        answer = client.post(f"{route}?receivedOn={text}", data=orjson.dumps(tbs_claim()), headers=JSON)
        assert (answer.status_code, json_of(answer)["receivedOn"]) == (200, text)


def test_batches_read_both_forms_of_a_day(client: FlaskClient) -> None:
    sent = [
        json_of(client.post(f"/v1/batches?receivedOn={day}", data=orjson.dumps(tbs_claim()), headers=JSON))
        for day in ("20250401", "2025-04-01")
    ]
    assert [batch["options"]["receivedOn"] for batch in sent] == ["20250401", "20250401"]
