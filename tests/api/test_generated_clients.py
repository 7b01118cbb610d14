"""Clients that real generators make from our document post claims and batches to a real service."""

from __future__ import annotations

import csv
import importlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest

from tests.support.claims import office_claim, tbs_claim
from tests.support.service import Service, running, write_rules
from tests.support.waiting import until

PYTHON_CLIENT, GENERATOR_CLIENT = "client_of_openapi_python_client", "client_of_openapi_generator"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    rules = write_rules(folder / "rules", ("sample-denied", "deny", "77092"))
    environ = {"SCRUBBER_RULES": str(rules), "SCRUBBER_STATE": str(folder / "state"), "SCRUBBER_BATCH_WORKERS": "1"}
    with running(folder, **environ) as started:
        yield started


@pytest.fixture(scope="module")
def document(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(service.ask("GET", "/openapi.json").body)
    return path


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the clients that are made, from which they can be imported."""
    folder = tmp_path_factory.mktemp("clients")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def make(*command: str | Path) -> str:
    """Run a generator; what it prints. By the machine's clock: Java hangs where that is put ahead."""
    environ = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def python_client(document: Path, clients: Path) -> str:
    settings = clients / "settings.json"
    settings.write_bytes(orjson.dumps({"post_hooks": []}))
    command = BIN / "openapi-python-client", "generate", "--path", document, "--meta", "none", "--config", settings
    return make(*command, "--output-path", clients / PYTHON_CLIENT)


def of_python_client(name: str) -> ModuleType:
    return importlib.import_module(f"{PYTHON_CLIENT}.{name}")


def test_openapi_python_client_leaves_out_no_operation(python_client: str, document: Path, clients: Path) -> None:
    paths = orjson.loads(document.read_bytes())["paths"]
    operations = {
        operation["operationId"] for path in paths.values() for operation in path.values() if "tags" in operation
    }
    made = {path.stem.replace("_", "") for path in (clients / PYTHON_CLIENT / "api").glob("*/*.py")}
    assert {operation.lower() for operation in operations} <= made
    skipped = {line for line in python_client.splitlines() if line.startswith("Unsupported")}
    assert skipped == {f"Unsupported content type application/{kind}" for kind in ("x-ndjson", "gzip", "edi-x12")}


def test_a_client_of_openapi_python_client_posts_a_claim(python_client: str, service: Service) -> None:
    client = of_python_client("client").Client(f"http://127.0.0.1:{service.port}")
    body = of_python_client("models").Body.from_dict(tbs_claim())
    body.subscriber.gender = "female"
    answer = of_python_client("api.claims.scrub_claim").sync(client=client, body=body)
    [finding] = answer.findings
    assert (answer.disposition, finding.rule.id, finding.lines) == ("deny", "sample-denied", [1])
    assert [change.pointer for change in answer.normalised] == ["/subscriber/gender"]
    assert finding.evidence.additional_properties["charge"] == "60.00"


def test_a_client_of_openapi_python_client_posts_a_batch(python_client: str, service: Service) -> None:
    client, models = of_python_client("client").Client(f"http://127.0.0.1:{service.port}"), of_python_client("models")
    claims = [models.Body.from_dict(claim) for claim in (tbs_claim(), office_claim())]
    batch = of_python_client("api.batches.submit_batch").sync(client=client, body=claims, idempotency_key="one")
    read = of_python_client("api.batches.read_batch").sync
    until(lambda: read(client=client, batch_id=batch.id).state == "done", "the batch is not done")
    results = of_python_client("api.batches.read_batch_results").sync_detailed
    lines = results(client=client, batch_id=batch.id).content.splitlines()
    rows = [models.BatchResult.from_dict(orjson.loads(line)) for line in lines]
    assert [(row.row, row.answer.disposition) for row in rows] == [(1, "deny"), (2, "accept")]
    as_csv = results(client=client, batch_id=batch.id, format_=models.ReadBatchResultsFormat.CSV).content.decode()
    [record] = [models.BatchFindingRecord.from_dict(record) for record in csv.DictReader(io.StringIO(as_csv))]
    assert (record.row, record.rule, record.claim_number) == ("1", "sample-denied", "TBS-0001")


@pytest.fixture(scope="module")
def generator_client(document: Path, clients: Path) -> str:
    if shutil.which("java") is None and "CI" not in os.environ:
        pytest.skip("openapi-generator needs Java: apt-get install default-jre-headless")
    command = BIN / "openapi-generator-cli", "generate", "-g", "python", "-i", document, "-o", clients
    return make(*command, "--package-name", GENERATOR_CLIENT)


def of_generator(service: Service) -> tuple[Any, Any]:
    """The client's package, and a connection to the service."""
    package: Any = importlib.import_module(GENERATOR_CLIENT)
    return package, package.ApiClient(package.Configuration(host=f"http://127.0.0.1:{service.port}"))


def test_a_client_of_openapi_generator_posts_a_claim(generator_client: str, service: Service) -> None:
    package, connection = of_generator(service)
    body = package.Body.from_dict(tbs_claim())
    body.subscriber.gender = "female"
    answer = package.ClaimsApi(connection).scrub_claim(body).actual_instance
    [finding] = answer.findings
    assert (answer.disposition, finding.rule.id, finding.lines) == ("deny", "sample-denied", [1])
    assert [change.pointer for change in answer.normalised] == ["/subscriber/gender"]
    view = package.ClaimsApi(connection).scrub_claim(body, view="clearinghouse").actual_instance
    assert (view.status, [error.code for error in view.errors]) == ("ERROR", ["sample-denied"])


def test_a_client_of_openapi_generator_posts_a_batch(generator_client: str, service: Service) -> None:
    package, connection = of_generator(service)
    batches = package.BatchesApi(connection)
    batch = batches.submit_batch([package.Body.from_dict(claim) for claim in (tbs_claim(), office_claim())])
    until(lambda: batches.read_batch(batch.id).state == "done", "the batch is not done")
    lines = batches.read_batch_results_without_preload_content(batch.id).data.splitlines()
    rows = [package.BatchResult.from_dict(orjson.loads(line)) for line in lines]
    assert [(row.row, row.answer.disposition) for row in rows] == [(1, "deny"), (2, "accept")]


def test_problems_reach_the_clients_as_problems(python_client: str, generator_client: str, service: Service) -> None:
    client, models = of_python_client("client").Client(f"http://127.0.0.1:{service.port}"), of_python_client("models")
    told = of_python_client("api.batches.read_batch").sync(client=client, batch_id="unknown")
    assert (type(told), told.status) == (models.Problem, 404)
    package, connection = of_generator(service)
    with pytest.raises(package.ApiException) as refused:
        package.BatchesApi(connection).read_batch("unknown")
    assert orjson.loads(refused.value.body)["type"] == "urn:claim-scrubber:problem:not-found"
