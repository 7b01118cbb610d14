"""Settings come from the environment; a wrong one is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from scrubber.cli import main
from scrubber.config import SETTINGS, read_settings, unknown_settings
from scrubber.errors import ConfigError


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    monkeypatch.chdir(tmp_path)
    return Path("rules")


def test_defaults(rules: Path) -> None:
    settings = read_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.rules == rules
    assert settings.reference is None
    assert settings.threads == 3
    assert settings.workers >= 1
    assert settings.max_body_bytes == 10_000_000


def test_every_setting_can_be_given(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "SCRUBBER_BIND": "[::1]:9000",
            "SCRUBBER_RULES": str(tmp_path),
            "SCRUBBER_REFERENCE": "reference.sqlite",
            "SCRUBBER_STATE": "kept",
            "SCRUBBER_WORKERS": "3",
            "SCRUBBER_THREADS": "4",
            "SCRUBBER_MAX_BODY_BYTES": "1000",
        }
    )
    assert (settings.host, settings.port, settings.rules) == ("::1", 9000, tmp_path)
    assert (settings.workers, settings.threads, settings.max_body_bytes) == (3, 4, 1000)
    assert settings.reference == "reference.sqlite"
    assert settings.state == Path("kept")


def test_who_may_ask_is_settled_by_settings(rules: Path) -> None:
    settings = read_settings({})
    assert (settings.open, settings.hosts, settings.origins) == (None, (), ())
    assert (settings.key_rate, settings.key_concurrent, settings.tls) == (None, None, None)
    settings = read_settings(
        {
            "SCRUBBER_OPEN": "no",
            "SCRUBBER_HOSTS": "scrubber.example, Other.Example",
            "SCRUBBER_ORIGINS": "https://billing.example http://localhost:3000",
            "SCRUBBER_KEY_RATE": "50",
            "SCRUBBER_KEY_CONCURRENT": "4",
        }
    )
    assert settings.open is False
    assert settings.hosts == ("scrubber.example", "other.example")
    assert settings.origins == ("https://billing.example", "http://localhost:3000")
    assert (settings.key_rate, settings.key_concurrent) == (50, 4)


def test_a_table_is_stale_after_as_many_days_as_are_said(rules: Path) -> None:
    def days(**given: str) -> tuple[int | None, int | None]:
        settings = read_settings({f"SCRUBBER_{name}": text for name, text in given.items()})
        return settings.stale_after, settings.ready_days

    assert days() == (183, 183)
    assert days(STALE_AFTER="90") == (90, 90)
    assert days(STALE_AFTER="never") == (None, None)
    assert days(READY_DAYS="30") == (183, 30)
    assert days(STALE_AFTER="never", READY_DAYS="0") == (None, 0)
    with pytest.raises(ConfigError, match="SCRUBBER_STALE_AFTER is 'soon'; give a number of days from 0, or never"):
        days(STALE_AFTER="soon")


def test_state_lies_in_the_home_folder_unless_told(rules: Path) -> None:
    assert read_settings({"HOME": "/h"}).state == Path("/h/.local/state/claim-scrubber")
    assert read_settings({"HOME": "/h", "XDG_STATE_HOME": "/s"}).state == Path("/s/claim-scrubber")


def test_an_empty_variable_counts_as_not_set(rules: Path) -> None:
    empty = dict.fromkeys(["SCRUBBER_BIND", "SCRUBBER_RULES", "SCRUBBER_WORKERS"], "")
    assert read_settings(empty) == read_settings({})


def test_rules_beside_the_package_serve_where_the_working_directory_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "installed" / "rules"
    beside.mkdir(parents=True)
    monkeypatch.setattr("scrubber.config._PACKAGED_RULES", beside)
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).rules == beside
    beside.rmdir()
    with pytest.raises(ConfigError, match="SCRUBBER_RULES"):
        read_settings({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCRUBBER_OPEN", "true"),
        ("SCRUBBER_HOSTS", "https://scrubber.example"),
        ("SCRUBBER_HOSTS", "*"),
        ("SCRUBBER_ORIGINS", "billing.example"),
        ("SCRUBBER_ORIGINS", "https://billing.example/page"),
        ("SCRUBBER_ORIGINS", "*"),
        ("SCRUBBER_KEY_RATE", "0"),
        ("SCRUBBER_KEY_CONCURRENT", "few"),
        ("SCRUBBER_TLS_CERTIFICATE", "certificate.pem"),
        ("SCRUBBER_TLS_KEY", "key.pem"),
        ("SCRUBBER_BIND", "8080"),
        ("SCRUBBER_BIND", ":8080"),
        ("SCRUBBER_BIND", "localhost:http"),
        ("SCRUBBER_BIND", "localhost:70000"),
        ("SCRUBBER_RULES", "no/such/folder"),
        ("SCRUBBER_WORKERS", "0"),
        ("SCRUBBER_WORKERS", "many"),
        ("SCRUBBER_THREADS", "-1"),
        ("SCRUBBER_MAX_BODY_BYTES", "10MB"),
        ("SCRUBBER_MAX_BODY_BYTES", "²"),
        ("SCRUBBER_LEASE_SECONDS", "0"),
        ("SCRUBBER_BROKER_URL", "redis://broker/0"),  # without a database that workers elsewhere could reach
        ("SCRUBBER_BATCH_WORKERS", "-1"),
        ("SCRUBBER_KEEP_DAYS", "0"),
        ("SCRUBBER_KEEP_DAYS", "1000000"),
        ("SCRUBBER_WEBHOOK_HOSTS", "https://hooks.example"),
        ("SCRUBBER_WEBHOOK_HOSTS", "hooks.example, other.example:8443"),
        ("SCRUBBER_WEBHOOK_HOSTS", "*.example"),
        ("SCRUBBER_WEBHOOK_SECRET", "whsec_no base64"),
    ],
)
def test_an_unusable_setting_is_named(rules: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read_settings({"SCRUBBER_WEBHOOK_SECRET": "secret", name: value})


def test_batches_may_be_left_to_other_machines_and_hosts_need_a_secret(rules: Path) -> None:
    assert read_settings({"SCRUBBER_BATCH_WORKERS": "0"}).batch_workers == 0
    hosts = {"SCRUBBER_WEBHOOK_HOSTS": "Hooks.example, other.example"}
    with pytest.raises(ConfigError, match="SCRUBBER_WEBHOOK_SECRET"):
        read_settings(hosts)
    chosen = read_settings(hosts | {"SCRUBBER_WEBHOOK_SECRET": "whsec_c2VjcmV0"})
    assert chosen.webhook_hosts == ("hooks.example", "other.example")
    assert "c2VjcmV0" not in repr(chosen)


def test_misspelt_settings_are_found() -> None:
    assert unknown_settings(["PATH", "SCRUBBER_WORKER", "SCRUBBER_BIND"]) == ["SCRUBBER_WORKER"]


def test_every_setting_of_the_service_is_listed_where_it_is_started() -> None:
    """And nothing is listed that is none. SCRUBBER_URL and SCRUBBER_KEY are of the commands that ask a service."""
    listed = set(re.findall(r"SCRUBBER_[A-Z_]+[A-Z]", CliRunner().invoke(main, ["serve", "--help"]).output))
    assert unknown_settings(listed) == []
    assert SETTINGS - {"SCRUBBER_URL", "SCRUBBER_KEY"} <= listed
