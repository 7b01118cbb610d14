"""New rules in a running service: what an operator and a rule author rely on. Real gunicorn, real signals."""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from copy import copy
from datetime import date
from pathlib import Path
from typing import Any
from weakref import ref

import orjson
import pytest
from click.testing import CliRunner

from scrubber.authoring.admission import admit
from scrubber.authoring.check_cache import CheckCache
from scrubber.claim.v3 import read_v3
from scrubber.cli import main
from scrubber.engine.durable import EngineFailure
from scrubber.errors import Faults
from scrubber.reference import LiveReference, open_reference
from scrubber.reference.live import read_typed
from scrubber.rulebook.load import load_rulebook
from scrubber.scrub import LiveScrubber
from scrubber.server.registry import ReloadOutcome, RunningService
from scrubber.server.registry import running as running_services
from scrubber.server.shared_rulebook import RulesAndTables, SharedRulebook
from tests.support.claims import office_claim, tbs_claim
from tests.support.rule_folders import CASES, RULE, SHIPPED, put, rule_folder, with_lines
from tests.support.service import ROOT, Service, running
from tests.support.waiting import PATIENCE, until

FILE = "sample/family/sample-rule.yaml"
TESTS = "sample/family/sample-rule.test.yaml"
SECOND_VERSION = "# Changes\n\n## 2026-11-29\n\n- `sample-rule` version 2: denies.\n"
OFFICE, TBS = orjson.dumps(office_claim()), orjson.dumps(tbs_claim())


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return rule_folder(tmp_path / "rules")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Service]]:
    """One service for many tests: the folder with its rules and its state, and the service itself."""
    folder = tmp_path_factory.mktemp("shared")
    with serving(folder, rule_folder(folder / "rules")) as service:
        yield folder, service


@pytest.fixture
def folder(shared: tuple[Path, Service]) -> Path:
    return shared[0]


@pytest.fixture
def service(shared: tuple[Path, Service]) -> Service:
    """The shared service, with the sample rule as it was in the beginning."""
    folder, service = shared
    shutil.rmtree(folder / "rules", ignore_errors=True)
    rule_folder(folder / "rules")
    assert hup(folder, service).outcome in ("reloaded", "unchanged")
    return service


def serving(folder: Path, rules: Path, *options: str, **environ: str) -> Any:
    command = ("-m", "scrubber", "serve", *options)
    chosen = {"SCRUBBER_RULES": str(rules), "SCRUBBER_STATE": str(folder / "state"), "SCRUBBER_WORKERS": "2"}
    return running(folder, *command, **(chosen | environ))


def reload(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What the command does, without a process of its own."""
    words = ["rules", "reload", *options]
    done = CliRunner().invoke(main, words, env={"SCRUBBER_STATE": str(folder / "state")})
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def reload_apart(folder: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, so that there can be several at once."""
    return subprocess.run(
        [sys.executable, "-m", "scrubber", "rules", "reload"],
        cwd=ROOT,
        env=os.environ | {"SCRUBBER_STATE": str(folder / "state")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def digests(service: Service, asks: int = 20) -> set[str]:
    """The rulebooks that answer: each request is on a connection of its own, so every worker gets some."""
    return {service.scrub(OFFICE).json["versions"]["rulebook"] for _ in range(asks)}  # type: ignore[index]


def logged(service: Service, event: str) -> list[dict[str, Any]]:
    """What the log says of an event, which may come after its outcome can be seen elsewhere."""
    return until(lambda: _logged(service, event))


def _logged(service: Service, event: str) -> list[dict[str, Any]]:
    lines = [orjson.loads(line) for line in service.output.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def recorded(folder: Path) -> RunningService:
    return running_services(folder / "state")[0]


def hup(folder: Path, service: Service) -> ReloadOutcome:
    """Signals the service; what came of it."""
    before = recorded(folder).status().begun
    service.process.send_signal(signal.SIGHUP)
    until(lambda: recorded(folder).status().ended > before)
    last = recorded(folder).status().last
    assert last
    return last


def children(service: Service) -> set[int]:
    process = service.process.pid
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def workers_of(service: Service) -> set[int]:
    """Both, once they were started."""
    until(lambda: len(children(service)) == 2)
    return children(service)


def shape(text: str) -> str:
    """A text without its figures."""
    return re.sub(r"[0-9a-f]{12}|[0-9.]+", "#", text)


def owned_by(name: str) -> str:
    return with_lines(RULE, owner=f"owner: {name}")


def test_changed_rules_answer_in_every_worker_and_the_command_says_what_changed(folder: Path, service: Service) -> None:
    rules = folder / "rules"
    (old,) = digests(service)
    put(rules, FILE, with_lines(RULE, severity="severity: deny", version="version: 2"))
    put(rules, TESTS, CASES.replace("warn", "deny"))
    put(rules, "sample/CHANGES.md", SECOND_VERSION)
    put(rules, "sample/family/sample-more.yaml", owned_by("x").replace("rule\n", "more\n").replace("A s", "Another s"))
    put(rules, "sample/family/sample-more.test.yaml", CASES)
    done = reload(folder)
    assert (done.returncode, done.stderr) == (0, "")
    (new,) = digests(service)
    assert new != old
    assert f"{old[:19]} -> {new[:19]}" in done.stdout
    assert "2 rules in force: 1 added, 0 removed, 1 changed" in done.stdout
    until(lambda: logged(service, "reload")[-1]["new"] == new)
    page = (ROOT / "docs" / "deploying.md").read_text()
    assert shape(done.stdout) in shape(page)
    again = reload(folder)
    assert again.returncode == 0
    assert "is in force already: nothing to reload" in again.stdout


def test_rules_with_faults_change_nothing_and_every_fault_is_told(folder: Path, service: Service) -> None:
    rules = folder / "rules"
    (old,) = digests(service)
    put(rules, FILE, with_lines(RULE, severity="severity: dire", stage="stage: never"))
    done = reload(folder)
    assert done.returncode == 1
    assert f"{rules}/{FILE}:" in done.stdout
    assert "severity: Must be one of" in done.stdout
    assert "stage: Must be one of" in done.stdout
    assert "2 faults; nothing has changed" in done.stdout
    assert len(hup(folder, service).reasons) == 2
    until(lambda: logged(service, "reload refused")[-1]["reasons"][0].startswith(f"{rules}/{FILE}:"))
    assert digests(service) == {old}


def test_a_case_that_fails_keeps_rules_out_of_service(folder: Path, service: Service) -> None:
    rules = folder / "rules"
    (old,) = digests(service)
    put(rules, FILE, with_lines(RULE, when="when: {fact: units, over: 0}"))
    done = reload(folder)
    assert done.returncode == 1
    assert f"{rules}/{TESTS}:9: sample-rule: one unit: found finding" in done.stdout
    assert digests(service) == {old}


def test_what_is_no_file_is_told_and_not_waited_for(folder: Path, service: Service) -> None:
    rules = folder / "rules"
    (old,) = digests(service)
    (rules / FILE).unlink()
    os.mkfifo(rules / FILE)
    (rules / "sample" / "family" / "sample-zero.yaml").symlink_to("/dev/zero")
    done = reload(folder)
    assert done.returncode == 1
    assert f"{rules}/{FILE}: is no file that can be read" in done.stdout
    assert f"{rules}/sample/family/sample-zero.yaml: is no file that can be read" in done.stdout
    assert digests(service) == {old}


def test_a_folder_that_is_gone_keeps_the_old_rules(folder: Path, service: Service) -> None:
    rules = folder / "rules"
    (old,) = digests(service)
    rules.rename(folder / "elsewhere")
    assert hup(folder, service).reasons == (f"{rules}: no such folder of rules",)
    assert digests(service) == {old}


def test_reloads_under_load_fail_no_request_and_leave_nothing_behind(folder: Path, service: Service) -> None:
    rules = folder / "rules"
    workers = workers_of(service)
    ended = threading.Event()
    answers: list[tuple[int, str]] = []

    def ask() -> None:
        while not ended.is_set():
            answer = service.scrub(OFFICE)
            answers.append((answer.status, answer.json["versions"]["rulebook"]))  # type: ignore[index]
            time.sleep(0.005)

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    slow = socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE)
    head = (
        b"POST /v1/claims/scrub HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    )
    slow.sendall(head + b"Content-Length: %d\r\n\r\n" % len(TBS) + TBS[:100])
    files = []
    for number in range(10):
        put(rules, FILE, owned_by(f"policy {number}"))
        assert hup(folder, service).outcome == "reloaded"
        until(lambda: children(service) == workers)
        files.append(sum(len(list(Path(f"/proc/{process}/fd").iterdir())) for process in workers))
    slow.sendall(TBS[100:])
    answer = b"".join(iter(lambda: slow.recv(65_536), b""))
    ended.set()
    for client in clients:
        client.join()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert {status for status, _ in answers} == {200}
    assert len({digest for _, digest in answers}) == 11
    assert max(files) <= min(files) + 8  # the clients' connections come and go
    assert len(digests(service)) == 1


def test_reloads_at_the_same_time_all_succeed(tmp_path: Path, rules: Path) -> None:
    with serving(tmp_path, rules) as service:
        put(rules, FILE, owned_by("another policy"))
        done: list[int] = []
        commands = [threading.Thread(target=lambda: done.append(reload_apart(tmp_path).returncode)) for _ in range(2)]
        for command in commands:
            command.start()
        for _ in range(20):
            service.process.send_signal(signal.SIGHUP)
        for command in commands:
            command.join()
        assert done == [0, 0]
        assert len(digests(service)) == 1


def test_hup_takes_changed_tables_and_refuses_broken_ones(tmp_path: Path, rules: Path) -> None:
    reference = tmp_path / "reference"
    reference.mkdir()
    (reference / "place-of-service.csv").write_text("code,setting,since,until,source\n11,non-facility,,,sample\n")
    releases = "table,name,since,until,source\nplace-of-service,{},2020-01-01,,sample\n"
    (reference / "releases.csv").write_text(releases.format("first"))

    with serving(tmp_path, rules, SCRUBBER_REFERENCE=str(reference)) as service:

        def used() -> str:
            text: str = service.ask("GET", "/readyz").body.decode()
            return text

        assert '"first"' in used()
        (reference / "releases.csv").write_text(releases.format("second"))
        assert hup(tmp_path, service).outcome == "reloaded"
        assert all('"second"' in used() for _ in range(10))
        (reference / "releases.csv").write_text("nonsense\n")
        assert str(reference / "releases.csv") in hup(tmp_path, service).reasons[0]
        assert all('"second"' in used() for _ in range(10))


def test_a_worker_that_comes_later_answers_by_the_new_rules(folder: Path, service: Service) -> None:
    rules = folder / "rules"
    put(rules, FILE, owned_by("another policy"))
    assert hup(folder, service).outcome == "reloaded"
    (new,) = digests(service)
    workers = workers_of(service)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    until(lambda: len(children(service) - workers) == 2)
    assert digests(service) == {new}


def test_term_during_a_reload_ends_the_service_and_the_reload(
    tmp_path: Path, shipped_passed: Callable[[Path], Path]
) -> None:
    rules = shutil.copytree(SHIPPED, tmp_path / "rules")
    shipped_passed(tmp_path / "state")
    with serving(tmp_path, rules) as service:
        workers = workers_of(service)
        (rules / "tbs" / "pack.yaml").write_text("broken")  # every file is read again
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(children(service)) == 3)
        (reloading,) = children(service) - workers
        assert service.stop() == 0
        assert not Path(f"/proc/{reloading}").exists()
    assert not list((tmp_path / "state" / "services").glob("*.json"))


def test_a_reload_that_is_killed_is_told_and_the_next_one_works(
    tmp_path: Path, shipped_passed: Callable[[Path], Path]
) -> None:
    rules = shutil.copytree(SHIPPED, tmp_path / "rules")
    shipped_passed(tmp_path / "state")
    with serving(tmp_path, rules) as service:
        (old,) = digests(service)
        workers = workers_of(service)
        path = rules / "tbs" / "pack.yaml"
        path.write_text(path.read_text() + "# changed: every case runs again\n")
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(children(service)) == 3)
        (reloading,) = children(service) - workers
        os.kill(reloading, signal.SIGKILL)
        logged(service, "reload refused")
        assert digests(service) == {old}
        until(lambda: recorded(tmp_path).status().ended == 1)
        assert hup(tmp_path, service).outcome == "reloaded"
        assert digests(service) != {old}


def test_the_watch_takes_what_is_saved_and_tells_faults_in_a_line(tmp_path: Path, rules: Path) -> None:
    with serving(tmp_path, rules, "--watch") as service:
        (old,) = digests(service)
        put(rules, FILE, with_lines(RULE, severity="severity: dire"))
        until(lambda: "old rules stay" in service.output.read_text())
        (line,) = [line for line in service.output.read_text().splitlines() if line.endswith("the old rules stay")]
        assert line.startswith(f"{rules}/{FILE}:6: severity: Must be one of")
        assert digests(service) == {old}
        put(rules, FILE, owned_by("another policy"))
        until(lambda: digests(service, 2) != {old})
        # The reload writes its line after the workers have changed over.
        until(lambda: "1 rules, 1 changed" in service.output.read_text())


def test_the_command_needs_to_know_which_service(tmp_path: Path, rules: Path) -> None:
    alone = reload(tmp_path)
    assert alone.returncode == 2
    assert f"no running service keeps its state in {tmp_path / 'state'}" in alone.stderr
    (tmp_path / "second").mkdir()
    state = str(tmp_path / "state")
    with serving(tmp_path, rules) as first, serving(tmp_path / "second", rules, SCRUBBER_STATE=state) as second:
        both = reload(tmp_path)
        assert both.returncode == 2
        assert f"--pid {first.process.pid}: 127.0.0.1:{first.port}, rules in {rules}" in both.stderr
        assert f"--pid {second.process.pid}: " in both.stderr
        put(rules, FILE, owned_by("another policy"))
        assert reload(tmp_path, "--pid", str(second.process.pid)).returncode == 0
        assert digests(first) != digests(second)
        second.process.kill()
        second.process.wait()
        assert reload(tmp_path).returncode == 0
        assert digests(first, 5)
        unknown = reload(tmp_path, "--pid", str(second.process.pid))
        assert unknown.returncode == 2
        assert f"there is no service {second.process.pid}; there are:" in unknown.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a command as another user")
def test_another_users_service_is_named(service: Service) -> None:
    _, file = tempfile.mkstemp()  # not below pytest's folders, which others may not enter
    code = (
        "import os\nfrom pathlib import Path\nfrom scrubber.cli.rules.reload import _reload\n"
        "from scrubber.server.registry import RunningService\nos.setuid(65534)\n"
        f"_reload(RunningService({service.process.pid}, Path({file!r})), 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"service {service.process.pid} belongs to root: run this command as root" in done.stderr
    Path(file).unlink()


def test_a_state_that_cannot_be_written_is_told_and_hup_works_all_the_same(tmp_path: Path, rules: Path) -> None:
    (tmp_path / "state").write_text("a file, no folder")
    with serving(tmp_path, rules) as service:
        (old,) = digests(service)
        (line,) = logged(service, "no record")
        assert f"{tmp_path / 'state'} cannot be written" in line["reason"]
        put(rules, FILE, owned_by("another policy"))
        service.process.send_signal(signal.SIGHUP)
        until(lambda: digests(service, 2) != {old})
        assert reload(tmp_path).returncode == 2


def test_only_what_changed_is_tested_again(tmp_path: Path, rules: Path) -> None:
    with serving(tmp_path, rules) as service:
        put(rules, "sample/family/sample-more.yaml", RULE.replace("rule\n", "more\n").replace("A s", "Another s"))
        put(rules, "sample/family/sample-more.test.yaml", CASES)
        state = tmp_path / "state"

        def cases() -> int:
            """Run by the service; the command's own check is not on its record."""
            outcome = hup(tmp_path, service)
            assert outcome.outcome == "reloaded"
            return outcome.cases

        assert cases() == 4  # the rule that was there at the start was tested then
        put(rules, FILE, owned_by("another policy"))
        assert cases() == 4
        put(rules, "sample/tables/lists.csv", "list,code,through,since,until,source\ntbs,77089,,,,another sample\n")
        assert cases() == 8
        put(rules, FILE, owned_by("a third policy"))
        (state / "passed").write_bytes(b"\xff no record")
        assert cases() == 8


def test_a_rulebook_reaches_the_workers_whole() -> None:
    book = load_rulebook(SHIPPED)
    shelf = SharedRulebook()
    turn = shelf.publish(RulesAndTables(book, read_typed(None)))
    found = shelf.book(turn).rulebook
    assert (found.rules, found.packs, found.rows, found.digest) == (book.rules, book.packs, book.rows, book.digest)
    places = [[each.row_position(kind, row) for kind in each.rows for row in each.rows[kind]] for each in (book, found)]
    assert places[0] == places[1]
    assert None not in places[0]


def test_what_lies_on_the_shelf_is_never_another_turn() -> None:
    book, shelf = RulesAndTables(load_rulebook(SHIPPED), read_typed(None)), SharedRulebook()
    first = shelf.publish(book)
    shelf.put_in_force(first)
    refused = shelf.publish(book)
    shelf.withdraw()
    second = shelf.publish(book)
    assert shelf.book(first).rulebook.digest == shelf.book(second).rulebook.digest == book.rulebook.digest
    assert len({first, refused, second}) == 3
    with pytest.raises(LookupError):
        shelf.book(refused)


def test_old_rulebooks_and_their_engines_leave_no_trace() -> None:
    book, live = load_rulebook(SHIPPED), LiveScrubber(load_rulebook(SHIPPED), LiveReference(None))
    claim, day = read_v3(office_claim()), date(2025, 4, 1)
    gone: list[ref[object]] = []
    sessions: list[Any] = []
    for _ in range(3):
        live.current().scrub(claim, day)
        gone += [ref(live.current().rulebook), ref(live.current().engine)]
        sessions += [each.session for each in live.current().engine._rulesets]  # type: ignore[attr-defined]
        live.take(live.prepare(copy(book), read_typed(None)))
    live.current().scrub(claim, day)
    gc.collect()
    assert [each() for each in gone] == [None] * 6
    assert sessions
    for session in sessions:
        with pytest.raises(EngineFailure):  # what durable_rules held is free
            session.run([], 0)


def test_a_fault_is_found_as_often_as_the_rules_are_checked(tmp_path: Path, rules: Path) -> None:
    """Its cases pass, and only lint sees that the first line is missing."""
    reference = open_reference(None)
    put(rules, FILE, RULE.split("\n", 1)[1])
    for _ in range(3):
        with pytest.raises(Faults, match="the first line must be"):
            admit(rules, reference, CheckCache(tmp_path), 1)
    put(rules, FILE, RULE)
    assert admit(rules, reference, CheckCache(tmp_path), 1).cases == 4
    (rules / "claims" / "tbs.json").unlink()
    with pytest.raises(Faults, match=r"there is no claims/tbs\.json"):
        admit(rules, reference, CheckCache(tmp_path), 1)
