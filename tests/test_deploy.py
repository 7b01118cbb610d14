"""The compose file and the image: no engine runs here, so what they say is held against the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from scrubber.cli import main
from scrubber.config import read_settings, unknown_settings
from tests.support.keys import add_key, store_in
from tests.support.service import ROOT, certificate_in, free_port, running

COMPOSE = ROOT / "deploy" / "compose.yaml"


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load(COMPOSE.read_text())


def test_its_settings_are_settings(compose: Any) -> None:
    for name in ("api", "worker"):
        environ = compose["services"][name]["environment"]
        assert unknown_settings(environ) == []
        plain = {key: "" if value.startswith("${") else value for key, value in environ.items()}
        settings = read_settings(plain | {"SCRUBBER_RULES": str(ROOT / "rules")})
        assert settings.database is not None
        assert settings.broker == "redis://broker:6379/0"


def test_its_commands_are_commands(compose: Any) -> None:
    program, *arguments = compose["services"]["worker"]["command"]
    assert program == "scrubber"
    assert CliRunner().invoke(main, [*arguments, "--help"]).exit_code == 0


def test_every_name_in_it_is_there(compose: Any) -> None:
    services, volumes = compose["services"], compose["volumes"]
    assert set(services) == {"api", "worker", "postgres", "broker"}
    for service in services.values():
        for needed in service.get("depends_on", {}):
            assert "test" in services[needed]["healthcheck"]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in volumes or (COMPOSE.parent / source).is_dir()
    environ = services["api"]["environment"]
    for host in ("postgres/", "broker:"):
        assert any(host in value for value in environ.values())


def test_it_builds_the_image_of_this_folder(compose: Any) -> None:
    build = COMPOSE.parent / compose["services"]["api"]["build"]
    assert (build / "Dockerfile").is_file()


def health_check(port: int, **environ: str) -> int:
    """Exit code of the check that is in the image."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    [command] = re.findall(r"^HEALTHCHECK .*? CMD (\[.*\])$", text, re.MULTILINE)
    _, *arguments = json.loads(command)
    asked = os.environ | {"SCRUBBER_BIND": f"0.0.0.0:{port}"} | environ
    return subprocess.run([sys.executable, *arguments], env=asked, capture_output=True).returncode


@pytest.mark.parametrize("tls", [False, True])
def test_the_check_of_the_image_needs_no_key(tmp_path: Path, tls: bool) -> None:
    if tls and shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    environ = certificate_in(tmp_path) if tls else {}
    add_key(store_in(tmp_path))
    settings = environ | {"SCRUBBER_STATE": str(tmp_path), "SCRUBBER_HOSTS": "scrubber.example"}
    with running(tmp_path, **settings, SCRUBBER_BIND=f"0.0.0.0:{free_port()}") as service:
        assert service.ask("GET", "/v1/batches").status == 401
        assert health_check(service.port, **environ) == 0
    assert health_check(service.port, **environ) != 0
