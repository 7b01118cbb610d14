"""API keys apart from HTTP: how they are kept and renewed, what a process knows of them, and their limits."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from scrubber.access import limits
from scrubber.access.key import Key, id_given, id_in, key_digest, new_text
from scrubber.access.known_keys import KnownKeys, open_policy
from scrubber.access.limits import KeyLimits, RequestCounters, TooMany
from scrubber.access.store import KeyStore
from scrubber.cli import main
from scrubber.config import Settings, is_loopback
from scrubber.errors import ConfigError, KeysDown
from tests.support.keys import add_key, forget_keys, store_in

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyStore]:
    """Where keys are kept, in each way there is."""
    address = request.getfixturevalue("postgres") if request.param == "postgres" else None
    yield store_in(tmp_path, address)
    if address is not None:
        forget_keys(address)


def test_a_key_is_kept_as_a_digest_and_nothing_else(store: KeyStore, tmp_path: Path) -> None:
    assert (store.revision(), store.every()) == (0, [])
    text = add_key(store, "scrub", "batch", tenant="clinic-b", name="ours", rate=1.5, concurrent=3)
    [key] = store.every()
    assert (key.tenant, key.scopes, key.name, key.rate, key.concurrent) == (
        "clinic-b",
        ("scrub", "batch"),
        "ours",
        1.5,
        3,
    )
    assert key.digest == key_digest(text)
    assert key.is_text(text)
    assert not key.is_text(new_text()[1])
    assert text[22:] not in repr(key)
    for file in tmp_path.rglob("keys.sqlite*"):
        assert text[22:].encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def _always(new: Key, _old: Key) -> Key:
    return new


def test_a_rotated_key_is_good_until_the_overlap_ends_and_never_longer(store: KeyStore) -> None:
    for lasts, overlap, expires in [(10, 2, 2), (1, 2, 1), (None, 2, 2)]:
        until = None if lasts is None else NOW + timedelta(hours=lasts)
        old = id_in(add_key(store, created=NOW, expires=until)) or ""
        new_id, text = new_text()
        before = store.revision()
        new = replace(store.every()[-1], id=new_id, digest=key_digest(text), expires=None, replaces=old)
        made = store.rotate(old, partial(_always, new), NOW + timedelta(hours=overlap))
        kept = {key.id: key for key in store.every()}
        assert made == kept[new_id]
        assert kept[old].expires == NOW + timedelta(hours=expires)
        assert kept[old].state(NOW) == "valid"
        assert kept[old].state(NOW + timedelta(hours=expires)) == "expired"
        assert kept[new_id].is_text(text)
        assert store.revision() > before
    assert store.rotate("0" * 12, lambda key: key, NOW) is None


def test_a_revoked_key_stays_revoked(store: KeyStore) -> None:
    key_id = id_in(add_key(store)) or ""
    assert store.revoke("0" * 12, NOW) is None
    for moment in NOW, NOW + timedelta(days=1):
        key = store.revoke(key_id, moment)
        assert key is not None
        assert (key.revoked, key.state(NOW)) == (NOW, "revoked")


def test_a_rotation_that_is_refused_changes_nothing(store: KeyStore) -> None:
    key_id = id_in(add_key(store)) or ""
    before = store.every()

    def refuse(_: object) -> Any:
        raise LookupError

    with pytest.raises(LookupError):
        store.rotate(key_id, refuse, NOW)
    assert store.every() == before


def test_keys_of_a_later_program_are_refused(tmp_path: Path, postgres: str) -> None:
    import psycopg

    for address in None, postgres:
        store = store_in(tmp_path, address)
        add_key(store)
        if address is None:
            with sqlite3.connect(tmp_path / "keys.sqlite") as connection:
                connection.execute("UPDATE schema_version SET version = 9, usable_from = 9")
            connection.close()
        else:
            with psycopg.connect(address, autocommit=True) as database:
                database.execute("UPDATE scrubber_access.schema_version SET version = 9, usable_from = 9")
        with pytest.raises(KeysDown, match="has schema version 9, written by a newer program"):
            store.revision()
        with pytest.raises(KeysDown, match="has schema version 9, written by a newer program"):
            add_key(store)
        if address is not None:
            forget_keys(address)


def test_what_is_known_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    told: list[str] = []
    store = store_in(tmp_path)
    known = KnownKeys(store, told.append)
    assert not known.any()
    text = add_key(store)
    known.read()
    assert known.any()
    first = known.find(text)
    known.read()
    assert known.find(text) is first
    store.revoke(id_in(text) or "", NOW)
    known.read()
    found = known.find(text)
    assert found is not None
    assert found.revoked == NOW
    for other in "", "x" * 5_000, new_text()[1], f"{text} ", text.upper():
        assert known.find(other) is None
    (tmp_path / "keys.sqlite").write_bytes(b"x" * 5_000)
    known.read_or_report()
    known.read_or_report()
    assert len(told) == 1
    assert known.find(text) is found


def test_ids_are_read_from_all_that_is_shown() -> None:
    key_id, text = new_text()
    assert [id_given(name) for name in (key_id, f"scrubber_{key_id}", text)] == [key_id] * 3
    assert [id_given(name) for name in ("", "scrubber_", text + "x", "../../etc")] == [None] * 4


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.1.2.3", False),
        ("localhost.example", False),
        ("127.1", False),
        ("127.0.0.1.example", False),
    ],
)
def test_which_addresses_are_of_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def settings_of(state: Path | None, host: str, is_open: bool | None) -> Settings:
    return Settings(host, 8080, Path("rules"), None, 1, 1, 1_000, state=state, open=is_open)


@pytest.mark.parametrize(
    ("host", "is_open", "starts", "with_a_key"),
    [
        ("127.0.0.1", None, True, True),
        ("127.0.0.1", True, True, True),
        ("127.0.0.1", False, False, True),
        ("0.0.0.0", None, False, True),  # noqa: S104
        ("0.0.0.0", False, False, True),  # noqa: S104
        ("0.0.0.0", True, True, True),  # noqa: S104
    ],
)
def test_a_start_without_keys(tmp_path: Path, host: str, is_open: bool | None, starts: bool, with_a_key: bool) -> None:
    settings = settings_of(tmp_path, host, is_open)

    def begins(settings: Settings) -> bool:
        try:
            open_policy(settings, datetime.now(UTC), lambda _: None)
        except ConfigError as error:
            return "API key" not in str(error)
        return True

    assert begins(settings) is starts
    assert begins(replace(settings, state=None)) is starts
    text = add_key(store_in(tmp_path))
    assert begins(settings) is with_a_key
    store_in(tmp_path).revoke(id_in(text) or "", NOW)
    assert begins(settings) is starts


def test_on_this_machine_keys_are_demanded_once_one_was_made(tmp_path: Path) -> None:
    policy = open_policy(settings_of(tmp_path, "127.0.0.1", None), NOW, lambda _: None)
    assert policy.known is not None
    assert not policy.demands_keys()
    key_id = id_in(add_key(store_in(tmp_path))) or ""
    store_in(tmp_path).revoke(key_id, NOW)
    policy.known.read()
    assert policy.demands_keys()


KEY, OTHER = "00000000000a", "00000000000b"


def row_of(bounds: RequestCounters, allowed: KeyLimits, key_id: str = KEY) -> int | None:
    """Where a request is counted, None where it is one too many."""
    try:
        return bounds.enter(key_id, *allowed)
    except TooMany:
        return None


def entered(bounds: RequestCounters, allowed: KeyLimits, key_id: str = KEY) -> bool:
    return row_of(bounds, allowed, key_id) is not None


def test_a_rate_lets_a_second_of_requests_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: clock[0])
    bounds, allowed = RequestCounters(1), KeyLimits(5, None)
    assert [entered(bounds, allowed) for _ in range(7)] == [True] * 5 + [False] * 2
    assert entered(bounds, allowed, OTHER)
    clock[0] += 0.21
    assert [entered(bounds, allowed) for _ in range(2)] == [True, False]
    clock[0] += 3_600
    assert [entered(bounds, allowed) for _ in range(6)] == [True] * 5 + [False]
    with pytest.raises(TooMany, match="At most 5 requests a second") as bound:
        bounds.enter(KEY, *allowed)
    assert 0 < bound.value.after <= 0.2
    slow = RequestCounters(1)
    assert [entered(slow, KeyLimits(0.5, None)) for _ in range(2)] == [True, False]
    clock[0] += 2.01
    assert entered(slow, KeyLimits(0.5, None))


def test_requests_at_once_are_counted_over_threads() -> None:
    bounds, allowed, most = RequestCounters(1), KeyLimits(None, 3), []
    lock = threading.Lock()
    now = [0]

    def ask() -> None:
        for _ in range(200):
            if (row := row_of(bounds, allowed)) is not None:
                with lock:
                    now[0] += 1
                    most.append(now[0])
                time.sleep(0)
                with lock:
                    now[0] -= 1
                bounds.leave(row)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 3
    assert [entered(bounds, allowed) for _ in range(4)] == [True, True, True, False]


def test_requests_at_once_are_counted_over_processes_and_forgotten_with_them() -> None:
    bounds, allowed = RequestCounters(2), KeyLimits(None, 2)
    assert entered(bounds, allowed)
    ready, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writes, bytes([entered(bounds, allowed), entered(bounds, allowed)]))
            signal.pause()
        finally:
            os._exit(1)
    assert os.read(ready, 2) == bytes([True, False])
    assert not entered(bounds, allowed)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert [entered(bounds, allowed) for _ in range(2)] == [True, False]


def test_rows_of_keys_that_ask_no_more_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: clock[0])
    bounds = RequestCounters(1)
    crowd = [f"{number * limits.ROWS:012x}" for number in range(limits.ROWS_TRIED + 1)]
    rows = [row_of(bounds, KeyLimits(1, None), key_id) for key_id in crowd]
    assert len(set(rows[:-1])) == limits.ROWS_TRIED
    assert rows[-1] is None
    for row in rows[:-1]:
        assert row is not None
        bounds.leave(row)
    assert not entered(bounds, KeyLimits(1, None), crowd[-1])
    clock[0] += 1.5
    assert entered(bounds, KeyLimits(1, None), crowd[-1])


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SCRUBBER_STATE", str(tmp_path))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["keys", *arguments])

    return run


def test_the_command_line_makes_lists_rotates_and_revokes(keys: Any, tmp_path: Path) -> None:
    assert "no keys" in keys("list").output
    made = keys(
        "create", "--tenant", "clinic-a", "--scope", "scrub", "--scope", "batch", "--name", "PMS", "--rate", "5"
    )
    text = made.stdout.strip()
    assert "only time" in made.stderr
    assert text not in made.stderr
    [listed] = orjson.loads(keys("list", "--json").stdout)["keys"]
    assert listed["key"] == text[:21]
    assert (listed["tenant"], listed["scopes"], listed["state"], listed["rate"]) == (
        "clinic-a",
        ["scrub", "batch"],
        "valid",
        5.0,
    )
    assert text[22:] not in keys("list", "--json").stdout + keys("list").stdout
    assert "scrub batch" in keys("list").stdout
    new = orjson.loads(keys("rotate", text[:21], "--overlap", "1", "--json").stdout)
    assert (new["replaces"], new["tenant"], new["scopes"], new["rate"]) == (
        text[:21],
        "clinic-a",
        ["scrub", "batch"],
        5.0,
    )
    old, renewed = store_in(tmp_path).every()
    assert old.expires is not None
    assert old.expires - datetime.now(UTC) <= timedelta(hours=1)
    assert renewed.expires is not None
    assert renewed.expires - renewed.created == timedelta(days=365)
    assert renewed.is_text(new["text"])
    assert keys("revoke", new["key"]).exit_code == 0
    assert [key["state"] for key in orjson.loads(keys("list", "--json").stdout)["keys"]] == ["valid", "revoked"]
    refused = keys("rotate", new["key"])
    assert (refused.exit_code, "is revoked" in refused.output) == (2, True)
    assert orjson.loads(keys("list", "--tenant", "clinic-b", "--json").stdout) == {"keys": []}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create",), "--scope"),
        (("create", "--scope", "everything"), "rules:read"),
        (("create", "--scope", "scrub", "--tenant", "Clinic A"), "small letters"),
        (("create", "--scope", "scrub", "--name", "a\nb"), "printable"),
        (("revoke", "0" * 12), "no such key"),
        (("rotate", "me"), "no such key"),
    ],
)
def test_mistakes_on_the_command_line_are_told(
    keys: Any, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = keys(*arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert not (tmp_path / "keys.sqlite").exists() or store_in(tmp_path).every() == []


def test_every_command_shows_examples(keys: Any) -> None:
    for command in (), ("create",), ("list",), ("rotate",), ("revoke",):
        assert "scrubber keys" in keys(*command, "--help").output.split("Options:")[0].split("\n", 2)[2]
