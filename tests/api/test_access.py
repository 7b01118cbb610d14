"""Who may ask over HTTP: keys, scopes, hosts and origins. Each route is tried as its own document says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from scrubber.access import known_keys
from scrubber.access.key import SCOPES, id_in
from scrubber.app import create_app
from scrubber.cli import main
from scrubber.config import Settings
from tests.support.claims import tbs_claim
from tests.support.keys import add_key, bearer, store_in
from tests.support.responses import json_of
from tests.support.service import JSON, ROOT, Service, free_port, running, write_rules
from tests.support.waiting import until

SCRUB = "/v1/claims/scrub"
CLAIM = orjson.dumps(tbs_claim())
UNKNOWN = "0" * 32  # id of a batch
OPEN = {"/healthz", "/readyz"}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"), ("sample-denied", "deny", "77092"))


@pytest.fixture
def settings(tmp_path: Path, rules: Path) -> Settings:
    return Settings("127.0.0.1", 0, rules, None, 1, 1, 10_000_000, state=tmp_path / "state")


@pytest.fixture
def state(settings: Settings) -> Path:
    assert settings.state is not None
    return settings.state


def client_of(settings: Settings) -> FlaskClient:
    return create_app(settings).test_client()


def operations(client: FlaskClient, batch_id: str = UNKNOWN) -> Iterator[tuple[str, str, list[str]]]:
    """Method, address and scopes of every operation in the document."""
    document: Any = client.get("/openapi.json").json
    for path, methods in document["paths"].items():
        address = path.replace("{batch_id}", batch_id).replace("{rule_id}", "sample-denied").replace("{code}", "77092")
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                scopes = [scope for entry in operation["security"] for scope in entry["apiKey"]]
                yield method.upper(), address, scopes


def test_every_route_but_health_needs_a_key_and_says_so(settings: Settings, state: Path) -> None:
    add_key(store_in(state))
    client = client_of(settings)
    tried = list(operations(client))
    assert len(tried) >= 15
    assert {address for _, address, scopes in tried if not scopes} == OPEN
    for method, address, scopes in tried:
        for sent in {}, {"Authorization": "Basic dTpw"}, {"Authorization": "Bearer"}, bearer("scrubber_nothing"):
            answer = client.open(address, method=method, headers=sent)
            if not scopes:
                assert answer.status_code == 200
                continue
            assert answer.status_code == 401, address
            assert answer.mimetype == "application/problem+json"
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="claim-scrubber"')


def test_every_route_needs_the_scope_that_its_document_names(settings: Settings, state: Path) -> None:
    store = store_in(state)
    every = [name for name in SCOPES if name != "admin"]
    only = {scope: add_key(store, scope) for scope in every}
    all_but = {scope: add_key(store, *(name for name in every if name != scope)) for scope in every}
    admin, client = add_key(store), client_of(settings)
    for method, address, scopes in operations(client):
        for scope in scopes:
            refused = client.open(address, method=method, headers=bearer(all_but[scope]))
            assert refused.status_code == 403
            assert f"`{scope}`" in json_of(refused)["detail"]
            assert f'error="insufficient_scope", scope="{scope}"' in refused.headers["WWW-Authenticate"]
            for text in only[scope], admin:
                assert client.open(address, method=method, headers=bearer(text)).status_code not in (401, 403)


def test_no_route_shows_or_changes_what_another_tenant_has(settings: Settings, state: Path) -> None:
    store = store_in(state)
    ours, theirs = bearer(add_key(store, tenant="clinic-a")), bearer(add_key(store, tenant="clinic-b"))
    client = client_of(settings)
    made = client.post("/v1/batches", data=CLAIM, headers=JSON | ours)
    batch_id = json_of(made)["id"]
    hidden = 0
    for method, address, _ in operations(client, batch_id):
        answer = client.open(address, method=method, headers=theirs)
        assert batch_id not in answer.text
        if batch_id in address:
            hidden += 1
            unknown = client.open(address.replace(batch_id, UNKNOWN), method=method, headers=theirs)
            assert (answer.status_code, answer.data) == (404, unknown.data)
            assert set(answer.headers.keys()) == set(unknown.headers.keys())
            assert client.open(address, method=method).status_code == 401
    assert hidden >= 5
    assert client.get("/v1/batches", headers=theirs).json == {"batches": []}
    assert json_of(client.get(f"/v1/batches/{batch_id}", headers=ours))["state"] == "received"
    assert [batch["id"] for batch in json_of(client.get("/v1/batches", headers=ours))["batches"]] == [batch_id]


def test_an_idempotency_key_is_that_of_a_tenant(settings: Settings, state: Path) -> None:
    store = store_in(state)
    ours, theirs = bearer(add_key(store, tenant="clinic-a")), bearer(add_key(store, tenant="clinic-b"))
    client, night = client_of(settings), JSON | {"Idempotency-Key": "night"}
    first = client.post("/v1/batches", data=CLAIM, headers=night | ours)
    for body in CLAIM, CLAIM + b"\n" + CLAIM:
        other = client.post("/v1/batches", data=body, headers=night | theirs)
        assert (other.status_code, "Idempotent-Replayed" in other.headers) == (202, False)
        assert json_of(other)["id"] != json_of(first)["id"]
        assert client.delete(other.headers["Location"], headers=theirs).status_code == 204
    again = client.post("/v1/batches", data=CLAIM, headers=night | ours)
    assert (json_of(again)["id"], again.headers["Idempotent-Replayed"]) == (json_of(first)["id"], "true")


def test_what_was_sent_without_a_key_is_of_the_default_tenant(settings: Settings, state: Path) -> None:
    sent = client_of(settings).post("/v1/batches", data=CLAIM, headers=JSON)
    store = store_in(state)
    ours, other = add_key(store, tenant="default"), add_key(store, tenant="clinic-a")
    client = client_of(settings)
    answers = [client.get(sent.headers["Location"], headers=bearer(text)).status_code for text in (ours, other)]
    assert answers == [200, 404]


def test_an_address_without_a_scope_needs_admin(settings: Settings, state: Path) -> None:
    store = store_in(state)
    texts = [add_key(store, *(name for name in SCOPES if name != "admin")), add_key(store)]
    app: Flask = create_app(settings)
    app.add_url_rule("/new", view_func=lambda: "new")
    answers = [app.test_client().get("/new", headers=bearer(text)).status_code for text in texts]
    assert answers == [403, 200]


@pytest.mark.parametrize(
    ("address", "query", "scope"),
    [
        (SCRUB, "?disable=sample-denied", "rules:switch"),
        (SCRUB, "?enable=sample-denied", "rules:switch"),
        ("/v1/claims/explain", "?disable=sample-denied", "rules:switch"),
        ("/v1/batches", "?priority=5", "batch:priority"),
        ("/v1/batches", "?disable=sample-denied", "rules:switch"),
    ],
)
def test_what_changes_rules_or_turns_needs_its_own_scope(
    settings: Settings, state: Path, address: str, query: str, scope: str
) -> None:
    store = store_in(state)
    without, with_it = add_key(store, "scrub", "batch"), add_key(store, "scrub", "batch", scope)
    client = client_of(settings)
    assert client.post(address, data=CLAIM, headers=JSON | bearer(without)).status_code in (200, 202)
    refused = client.post(address + query, data=CLAIM, headers=JSON | bearer(without))
    assert (refused.status_code, f"`{scope}`" in json_of(refused)["detail"]) == (403, True)
    assert client.post(address + query, data=CLAIM, headers=JSON | bearer(with_it)).status_code != 403


def test_a_key_that_is_no_longer_good_is_told_why(settings: Settings, state: Path) -> None:
    store, now = store_in(state), datetime.now(UTC)
    expired = add_key(store, expires=now - timedelta(seconds=1))
    revoked = add_key(store, revoked=now)
    good = add_key(store)
    client = client_of(settings)
    for text, detail in [
        (expired, "The key is expired."),
        (revoked, "The key is revoked."),
        (good[:-1] + ("A" if good[-1] != "A" else "B"), "The key is not known here."),
        (good.replace(good[9:21], "0" * 12), "The key is not known here."),
    ]:
        answer = client.get("/v1/rules", headers=bearer(text))
        assert (answer.status_code, json_of(answer)["detail"]) == (401, detail)
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert client.get("/v1/rules", headers=bearer(good)).status_code == 200
    assert client.get("/v1/rules", headers={"Authorization": f"bearer  {good}"}).status_code == 200


def test_without_keys_nobody_on_this_machine_needs_one(settings: Settings, state: Path) -> None:
    client = client_of(settings)
    assert client.post(SCRUB, data=CLAIM, headers=JSON).status_code == 200
    assert client.get("/v1/rules", headers={"Authorization": "Basic dTpw"}).status_code == 200
    add_key(store_in(state))
    assert client_of(settings).post(SCRUB, data=CLAIM, headers=JSON).status_code == 401
    assert client_of(replace(settings, open=True)).post(SCRUB, data=CLAIM, headers=JSON).status_code == 200


def test_health_tells_nothing_to_who_has_no_key(settings: Settings, state: Path, capfd: Any) -> None:
    text = add_key(store_in(state), "scrub")
    client = client_of(settings)
    assert client.get("/readyz").json == {"status": "ready"}
    assert json_of(client.get("/readyz", headers=bearer(text)))["rulebook"].startswith("sha256:")
    stale = client_of(replace(settings, ready_days=-1_000_000))
    stale.application.extensions["claim-scrubber"] = replace(
        stale.application.extensions["claim-scrubber"], trouble=lambda: "The table mpfs is broken."
    )
    anonymous, known_one = stale.get("/readyz"), stale.get("/readyz", headers=bearer(text))
    assert (anonymous.status_code, known_one.status_code) == (503, 503)
    assert "mpfs" not in anonymous.text
    assert "The table mpfs is broken." in json_of(known_one)["detail"]
    assert '"event":"not ready"' in capfd.readouterr().out


def test_the_pages_can_be_opened_without_a_key(settings: Settings, state: Path) -> None:
    add_key(store_in(state))
    client = client_of(settings)
    assert client.get("/").headers["Location"] == "/docs"
    for address in "/docs", "/docs/docs.js", "/openapi.json":
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "127.9.9.9", "LOCALHOST."]
)
def test_names_of_this_machine_are_answered(settings: Settings, host: str) -> None:
    assert client_of(settings).get("/v1/rules", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["rebound.example", "rebound.example:8080", "127.0.0.1.rebound.example", "10.0.0.1", "a b"]
)
def test_a_name_that_was_led_here_is_not_answered(settings: Settings, host: str) -> None:
    client = client_of(settings)
    for method, address in ("GET", "/v1/batches"), ("POST", SCRUB), ("GET", "/docs"), ("GET", "/nothing"):
        answer = client.open(address, method=method, headers={"Host": host})
        assert (answer.status_code, json_of(answer)["type"]) == (421, "urn:claim-scrubber:problem:wrong-host")
        assert host not in answer.text
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_names_can_be_listed(settings: Settings) -> None:
    client = client_of(replace(settings, hosts=("scrubber.example",)))
    answers = {
        host: client.get("/v1/rules", headers={"Host": host}).status_code for host in ("scrubber.example:80", "x")
    }
    assert answers == {"scrubber.example:80": 200, "x": 421}
    everywhere = client_of(replace(settings, host="0.0.0.0", open=True))  # noqa: S104
    assert everywhere.get("/v1/rules", headers={"Host": "anything.example"}).status_code == 200


CROSS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
]


@pytest.mark.parametrize("sent", CROSS)
def test_a_page_of_another_site_changes_nothing(settings: Settings, sent: dict[str, str]) -> None:
    client = client_of(settings)
    made = client.post("/v1/batches", data=CLAIM, headers=JSON)
    address = made.headers["Location"]
    for method, target in ("POST", SCRUB), ("POST", f"{address}/cancel"), ("DELETE", address), ("POST", "/v1/batches"):
        answer = client.open(target, method=method, data=CLAIM, headers=JSON | sent)
        assert (answer.status_code, json_of(answer)["type"]) == (403, "urn:claim-scrubber:problem:cross-site")
    assert json_of(client.get(address))["state"] == "received"
    assert "Access-Control-Allow-Origin" not in client.get("/v1/batches", headers=sent).headers


@pytest.mark.parametrize(
    "sent", [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_our_own_pages_may_ask(settings: Settings, sent: dict[str, str]) -> None:
    assert client_of(settings).post(SCRUB, data=CLAIM, headers=JSON | sent).status_code == 200


def test_only_listed_origins_may_read_answers(settings: Settings, state: Path) -> None:
    text = add_key(store_in(state), "scrub")
    client = client_of(replace(settings, origins=("https://billing.example",)))
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    for origin, listed in ("https://billing.example", True), ("https://billing.example.evil", False):
        before = client.options(SCRUB, headers={"Origin": origin} | asked)
        answer = client.post(SCRUB, data=CLAIM, headers=JSON | bearer(text) | {"Origin": origin})
        refused = client.post(SCRUB, data=CLAIM, headers=JSON | {"Origin": origin})
        assert (before.status_code, answer.status_code, refused.status_code) == (200, 200, 401)
        assert "Origin" in answer.headers["Vary"]
        for each in before, answer, refused:
            assert each.headers.get("Access-Control-Allow-Origin") == (origin if listed else None)
            assert "Access-Control-Allow-Credentials" not in each.headers
        assert ("POST" in before.headers.get("Access-Control-Allow-Methods", "")) == listed
        assert ("Authorization" in before.headers.get("Access-Control-Allow-Headers", "")) == listed


def test_a_listed_origin_may_also_ask_where_no_key_is_needed(settings: Settings) -> None:
    client = client_of(replace(settings, origins=("https://billing.example",)))
    sent = {"Origin": "https://billing.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post(SCRUB, data=CLAIM, headers=JSON | sent).status_code == 200


def test_a_key_asks_no_faster_than_it_may(settings: Settings, state: Path) -> None:
    store = store_in(state)
    slow, other = add_key(store, "scrub", rate=2.0), add_key(store, "scrub")
    client = client_of(settings)
    answers = [client.post(SCRUB, data=CLAIM, headers=JSON | bearer(slow)) for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == answers[1].status_code == 200
    assert refused
    assert refused[0].headers["Retry-After"] == "1"
    assert "2 requests a second" in json_of(refused[0])["detail"]
    assert client.post(SCRUB, data=CLAIM, headers=JSON | bearer(other)).status_code == 200
    each = client_of(replace(settings, key_rate=1))
    assert 429 in {each.post(SCRUB, data=CLAIM, headers=JSON | bearer(other)).status_code for _ in range(40)}


def test_a_long_answer_counts_until_it_is_read(settings: Settings, state: Path) -> None:
    text = add_key(store_in(state), concurrent=1)
    client = client_of(replace(settings, threads=3))

    def ask(address: str) -> Any:
        return client.get(address, headers=bearer(text), buffered=True)

    made = client.post("/v1/batches", data=CLAIM, headers=JSON | bearer(text), buffered=True)
    read = client.get(f"{made.headers['Location']}/results", headers=bearer(text))
    assert read.status_code == 200
    refused = ask("/v1/rules")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    read.close()
    assert [ask(address).status_code for address in ("/v1/rules", "/v1/rules/nothing", "/v1/rules")] == [200, 404, 200]


def test_keys_that_cannot_be_read_let_nobody_in(settings: Settings, state: Path, monkeypatch: Any, capfd: Any) -> None:
    text = add_key(store_in(state))
    client = client_of(settings)
    assert client.get("/v1/rules", headers=bearer(text)).status_code == 200
    (state / "keys.sqlite").write_bytes(b"no database" * 1_000)
    client.application.extensions["claim-scrubber-access"].known.read_or_report()
    assert client.get("/v1/rules", headers=bearer(text)).status_code == 200
    monkeypatch.setattr(known_keys, "USABLE_FOR", -1.0)
    down = client.get("/v1/rules", headers=bearer(text))
    assert (down.status_code, json_of(down)["type"]) == (503, "urn:claim-scrubber:problem:no-keys")
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert '"event":"keys not read"' in capfd.readouterr().out


def test_a_service_that_others_can_reach_does_not_start_without_a_key(tmp_path: Path, rules: Path) -> None:
    environ = {"SCRUBBER_RULES": str(rules), "SCRUBBER_STATE": str(tmp_path), "SCRUBBER_BIND": f"0.0.0.0:{free_port()}"}
    done = subprocess.run(
        [sys.executable, "-m", "scrubber", "serve"], cwd=ROOT, env=os.environ | environ, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "scrubber keys create" in done.stderr
    assert "SCRUBBER_OPEN=yes" in done.stderr


def test_a_service_that_is_open_says_so(tmp_path: Path, rules: Path) -> None:
    environ = {"SCRUBBER_RULES": str(rules), "SCRUBBER_STATE": str(tmp_path), "SCRUBBER_BIND": f"0.0.0.0:{free_port()}"}
    with running(tmp_path, SCRUBBER_OPEN="yes", **environ) as service:
        assert service.scrub(CLAIM).status == 200
    assert '"event":"open"' in service.output.read_text()


@pytest.fixture
def everywhere(tmp_path: Path, rules: Path) -> Iterator[tuple[Service, Path, str]]:
    """A service of two processes that listens on all addresses, and a key of all scopes."""
    state = tmp_path / "state"
    text = add_key(store_in(state))
    with running(
        tmp_path,
        SCRUBBER_RULES=str(rules),
        SCRUBBER_STATE=str(state),
        SCRUBBER_WORKERS="2",
        SCRUBBER_BIND=f"0.0.0.0:{free_port()}",
    ) as service:
        yield service, state, text


def test_a_real_service_takes_keys_and_gives_them_up(everywhere: tuple[Service, Path, str]) -> None:
    service, state, text = everywhere

    def ask(key: str) -> int:
        return service.ask("POST", SCRUB, CLAIM, JSON | bearer(key)).status

    assert service.scrub(CLAIM).status == 401
    assert ask(text) == 200
    assert service.ask("GET", "/healthz").status == 200
    store = store_in(state)
    new = add_key(store, "scrub")
    until(lambda: {ask(new) for _ in range(20)} == {200}, "a new key was not taken")
    store.revoke(id_in(new) or "", datetime.now(UTC))
    until(lambda: {ask(new) for _ in range(20)} == {401}, "a revoked key was not given up")
    assert ask(text) == 200
    one = add_key(store, "scrub", "rules:read", concurrent=1)
    until(lambda: {ask(one) for _ in range(20)} == {200}, "a new key was not taken")
    assert [ask(one) for _ in range(20)] == [200] * 20
    with ThreadPoolExecutor(8) as pool:
        crowd = Counter(pool.map(ask, [one] * 80))
    assert set(crowd) <= {200, 429}
    assert crowd[200] >= 1
    until(lambda: ask(one) == 200, "what was answered is still counted")
    service.stop()
    told = service.output.read_text()
    for secret in text, new:
        assert secret not in told
        assert secret[22:] not in told
        assert f'"key":"{id_in(secret)}"' in told


def test_the_command_line_sends_its_key(
    everywhere: tuple[Service, Path, str], monkeypatch: Any, tmp_path: Path
) -> None:
    service, _, text = everywhere
    (tmp_path / "claims.ndjson").write_bytes(CLAIM)
    command = ["batch", "submit", str(tmp_path / "claims.ndjson"), "--url", f"http://127.0.0.1:{service.port}"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert "SCRUBBER_KEY" in refused.output
    monkeypatch.setenv("SCRUBBER_KEY", text)
    assert CliRunner().invoke(main, command).exit_code == 0
