"""The API in process: addresses, problems, documentation. Its answers keep to its own document."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NoReturn

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from scrubber.app import create_app
from scrubber.config import Settings
from tests.support.claims import office_claim, tbs_claim
from tests.support.responses import json_of
from tests.support.service import JSON, write_rules

SCRUB = "/v1/claims/scrub"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    codes = ("sample-denied", "deny", "77092"), ("sample-warned", "warn", "36415")
    rules = write_rules(tmp_path_factory.mktemp("rules"), *codes)
    return create_app(Settings("127.0.0.1", 0, rules, None, 1, 1, 10_000_000))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def spec(app: Flask) -> Document:
    document: Document = json_of(app.test_client().get("/openapi.json"))
    return document


def fits(spec: Document, name: str, value: object) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
    Draft202012Validator(schema).validate(value)
    return True


def post(client: FlaskClient, body: bytes, query: str = "", **headers: str) -> Any:
    sent = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(SCRUB + query, data=body, headers=sent)


def test_the_document_is_valid_openapi(spec: Document) -> None:
    validate(spec)
    assert spec["openapi"].startswith("3.1")
    batch = "/v1/batches/{batch_id}"
    batches = {"/v1/batches", batch, f"{batch}/results", f"{batch}/summary", f"{batch}/cancel"}
    looked_up = {"/v1/rules", "/v1/rules/{rule_id}", "/v1/codes/{code}", "/v1/price", "/v1/reference"}
    assert set(spec["paths"]) == {SCRUB, "/v1/claims/explain"} | batches | looked_up | {"/healthz", "/readyz"}


@pytest.mark.filterwarnings("error")
def test_the_document_is_made_without_a_warning(app: Flask, spec: Document) -> None:
    assert app.test_client().get("/openapi.json").json == spec


def test_answers_keep_to_the_document(client: FlaskClient, spec: Document) -> None:
    for claim in tbs_claim(), office_claim():
        body = orjson.dumps(claim)
        answer = post(client, body).json
        assert fits(spec, "Answer", answer)
        asked_for = {"settledBy", "shadow", "switched"}
        assert set(answer) == set(spec["components"]["schemas"]["Answer"]["properties"]) - asked_for
        view = post(client, body, "?view=clearinghouse").json
        assert fits(spec, "ClearinghouseAnswer", view)
        assert fits(spec, "Body", claim)
    assert fits(spec, "RuleList", client.get("/v1/rules").json)
    assert fits(spec, "Rule", client.get("/v1/rules/sample-denied").json)
    assert fits(spec, "Health", client.get("/healthz").json)
    assert fits(spec, "Readiness", client.get("/readyz").json)
    assert fits(spec, "Problem", post(client, b"[]").json)


def test_parts_that_are_asked_for_keep_to_the_document(client: FlaskClient, spec: Document) -> None:
    body = orjson.dumps(tbs_claim())
    told = post(client, body, "?include=checks&include=settledBy&include=shadow").json
    assert fits(spec, "Answer", told)
    assert {"settledBy", "shadow"} <= told.keys()
    listed = [check for counts in told["checks"].values() for check in counts["list"]]
    assert {"sample-denied"} == {check["rule"]["id"] for check in listed if check["outcome"] == "fired"}
    assert all("list" not in counts for counts in post(client, body).json["checks"].values())


def test_a_finding_has_every_documented_key(client: FlaskClient, spec: Document) -> None:
    (finding,) = post(client, orjson.dumps(tbs_claim()), "?include=remedies").json["findings"]
    documented = spec["components"]["schemas"]["Finding"]["properties"]
    assert set(finding) == set(documented)


def test_the_example_in_the_document_is_a_claim(client: FlaskClient, spec: Document) -> None:
    body = spec["paths"][SCRUB]["post"]["requestBody"]["content"]["application/json"]["example"]
    answer = post(client, orjson.dumps(body)).json
    assert (answer["unmapped"], answer["normalised"]) == ([], [])
    assert spec["components"]["examples"]["Answer"]["value"] == answer


def test_scalars_of_the_body_are_described(spec: Document) -> None:
    total = spec["components"]["schemas"]["ClaimInformation"]["properties"]["claimChargeAmount"]
    others = "Other names that are read: totalClaimChargeAmount, totalChargeAmount"
    assert total["description"] == f"claim charge (2300 CLM02, box 28). Also read: number. {others}"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"[]", [""]),
        (b'"a"', [""]),
        (b"{}", ["/claimInformation"]),
        (b'{"claimInformation": []}', ["/claimInformation"]),
        (b'{"claimInformation": {"serviceLines": []}}', ["/claimInformation/serviceLines"]),
    ],
)
def test_what_is_no_claim_says_where(client: FlaskClient, body: bytes, pointers: list[str]) -> None:
    answer = post(client, body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == pointers


def test_what_is_no_json_says_where(client: FlaskClient) -> None:
    answer = post(client, b'{\n  "a": NaN}')
    assert answer.status_code == 400
    assert answer.json["type"].endswith(":not-json")
    assert "line 2, column 8" in answer.json["detail"]


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/json; charset=UTF-8", "application/vnd.x+json", "Application/JSON"],
)
def test_json_media_types_are_read(client: FlaskClient, media_type: str) -> None:
    assert post(client, orjson.dumps(tbs_claim()), Content_Type=media_type).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "br"},
    ],
)
def test_other_bodies_are_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post(SCRUB, data=b"{}", headers=JSON | headers)
    assert answer.status_code == 415
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1//rules", 404),
        ("GET", "/v1/rules/", 404),
        ("GET", "/v1/rules/nothing", 404),
        ("GET", "/docs/../app.py", 404),
        ("GET", "/docs/%2e%2e/app.py", 404),
        ("GET", SCRUB, 405),
        ("HEAD", SCRUB, 405),
        ("DELETE", "/v1/rules", 405),
        ("GET", "/v1/rules?severity=dire", 400),
        ("GET", "/v1/rules?pack=other", 400),
    ],
)
def test_problems(client: FlaskClient, spec: Document, method: str, address: str, status: int) -> None:
    answer = client.open(address, method=method)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    if method != "HEAD":
        assert json_of(answer)["status"] == status
        assert fits(spec, "Problem", answer.json)
    assert ("Allow" in answer.headers) == (status == 405)


def test_an_unknown_view_is_refused_before_the_claim_is_read(client: FlaskClient) -> None:
    answer = post(client, b"", "?view=other")
    assert answer.status_code == 400
    assert "clearinghouse" in answer.json["detail"]


@pytest.mark.parametrize("query", ["?inclde=checks", "?recievedOn=20250312", "?view=clearinghouse&view=clearinghouse"])
@pytest.mark.parametrize("route", ["scrub", "explain"])
def test_a_parameter_that_is_not_known_or_given_twice_is_refused(client: FlaskClient, route: str, query: str) -> None:
    sent = {"Content-Type": "application/json"}
    answer = client.post(f"/v1/claims/{route}{query}", data=orjson.dumps(tbs_claim()), headers=sent)
    assert answer.status_code == 400
    assert json_of(answer)["type"].endswith("bad-parameter")


def test_the_clearinghouse_view_is_200_whatever_the_disposition(client: FlaskClient) -> None:
    answer = post(client, orjson.dumps(tbs_claim()), "?view=clearinghouse")
    assert (answer.status_code, answer.json["status"]) == (200, "ERROR")
    assert answer.json["claimReference"]["patientControlNumber"] == "TBS-0001"


def test_keys_in_another_order_give_the_same_bytes(client: FlaskClient) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    claim = tbs_claim()
    assert post(client, orjson.dumps(claim)).data == post(client, orjson.dumps(turned(claim))).data


def test_options_and_head_answer(client: FlaskClient) -> None:
    assert set(client.options(SCRUB).allow) == {"OPTIONS", "POST"}
    head = client.head("/v1/rules")
    assert (head.status_code, head.data) == (200, b"")


def test_rules_can_be_narrowed_and_read(client: FlaskClient) -> None:
    every = json_of(client.get("/v1/rules"))
    assert [rule["id"] for rule in every["rules"]] == ["sample-denied", "sample-warned"]
    assert [pack["name"] for pack in every["packs"]] == ["sample"]
    denying = json_of(client.get("/v1/rules?severity=deny&pack=sample&status=active"))["rules"]
    assert [rule["id"] for rule in denying] == ["sample-denied"]
    assert json_of(client.get("/v1/rules?stage=submission"))["rules"] == []
    rule = json_of(client.get("/v1/rules/sample-denied"))
    assert rule["applies"] == {"all": [{"fact": "procedure", "any": ["77092"]}]}
    assert rule["when"] == {"fact": "charge", "over": "1.00"}
    assert rule["digest"] == every["digest"]


def test_rules_need_not_be_sent_again_while_the_digest_stands(client: FlaskClient) -> None:
    tag = client.get("/v1/rules").headers["ETag"]
    again = client.get("/v1/rules", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_readiness_names_what_is_loaded(client: FlaskClient) -> None:
    ready = json_of(client.get("/readyz"))
    assert ready["rules"] == 2
    assert ready["rulebook"].startswith("sha256:")
    assert {"mpfs", "ncci-ptp"} <= {release["table"] for release in ready["reference"]}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [str(given[name]) for name in ("src", "href") if name in given]
        self.inline += tag in ("script", "style") and "src" not in given


def test_the_documentation_page_loads_only_from_here(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    links = _Links()
    links.feed(page.text)
    assert links.inline == 0
    for address in links.found:
        assert re.fullmatch(r"/[a-z0-9./-]+", address)
        assert client.get(address).status_code == 200
    assert client.get("/").headers["Location"] == "/docs"
    script = client.get("/docs/docs.js").text
    assert "validatorUrl: null" in script
    assert "://" not in script


def test_style_sheets_load_nothing_from_outside(client: FlaskClient) -> None:
    sheet = client.get("/docs/swagger-ui.css").text
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", sheet)
    assert "@import" not in sheet


def test_nothing_but_the_documentation_is_served_from_disk(client: FlaskClient) -> None:
    for name in ("docs.html.bak", "..%2f__init__.py", "index.html", "oauth2-redirect.html"):
        assert client.get(f"/docs/{name}").status_code == 404


def test_static_files_are_part_of_the_package() -> None:
    static = Path(__file__).resolve().parents[2] / "scrubber" / "api" / "static"
    assert {"docs.html", "docs.js", "example-claim.json"} <= {file.name for file in static.iterdir()}


def test_a_log_that_cannot_be_written_does_not_stop_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "log").open("w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        settings = Settings("127.0.0.1", 0, write_rules(tmp_path / "rules"), None, 1, 1, 10_000)
        client = create_app(settings).test_client()
    assert client.get("/healthz").status_code == 200


def test_a_hook_that_fails_is_logged_without_its_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings("127.0.0.1", 0, write_rules(tmp_path), None, 1, 1, 10_000)
    app = create_app(settings)

    def crash(_: object) -> NoReturn:
        raise ValueError("CANARY")

    app.after_request(crash)
    assert app.test_client().get("/healthz?CANARY").status_code == 500
    told = capsys.readouterr()
    assert "CANARY" not in told.out + told.err
    assert "ValueError" in told.out


def test_refusals_before_an_address_is_reached_are_documented(spec: Document) -> None:
    """More than can be answered, of any address; a body that does not arrive in time, where one is read."""
    for path in spec["paths"].values():
        for method, operation in path.items():
            if method not in ("get", "post", "delete"):
                continue
            told = operation["responses"]
            assert "503" in told
            assert ("408" in told) == ("requestBody" in operation)
    slow = spec["components"]["responses"]["REQUEST_TIMEOUT"]
    assert "Retry-After" in spec["components"]["responses"]["SERVICE_UNAVAILABLE"]["headers"]
    assert "Retry-After" not in slow["headers"]
    assert {"X-Request-Id", "traceparent", "Cache-Control"} <= set(slow["headers"])


# What every server answers, and what guards every answer in a browser.
OF_HTTP = {"Content-Type", "Content-Length", "Content-Security-Policy", "X-Content-Type-Options", "Date"}


def test_headers_of_answers_are_those_of_the_document(client: FlaskClient, spec: Document) -> None:
    def described(path: str, method: str, status: int) -> set[str]:
        response = spec["paths"][path][method]["responses"][str(status)]
        if "$ref" in response:
            response = spec["components"]["responses"][response["$ref"].rpartition("/")[2]]
        return set(response["headers"])

    tag = client.get("/v1/rules").headers["ETag"]
    unchanged = client.get("/v1/rules", headers={"If-None-Match": tag})
    asked = [
        ("/v1/rules", "get", client.get("/v1/rules")),
        ("/v1/rules", "get", unchanged),
        ("/v1/rules/{rule_id}", "get", client.get("/v1/rules/unknown")),
        (SCRUB, "post", post(client, orjson.dumps(tbs_claim()))),
        (SCRUB, "post", post(client, b"[]")),
    ]
    assert unchanged.status_code == 304
    for path, method, answer in asked:
        assert set(answer.headers.keys()) - OF_HTTP <= described(path, method, answer.status_code)


def test_wrong_methods_and_failures_are_described(client: FlaskClient, spec: Document) -> None:
    refused = client.get(SCRUB)
    told = spec["components"]["responses"]["METHOD_NOT_ALLOWED"]
    assert refused.status_code == 405
    assert set(refused.headers.keys()) - OF_HTTP <= set(told["headers"])
    assert "Allow" in refused.headers
    assert fits(spec, "Problem", refused.json)
    operations = [operation for path in spec["paths"].values() for operation in path.values() if "tags" in operation]
    assert all("500" in operation["responses"] for operation in operations)
