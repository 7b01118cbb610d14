"""The Makefile: which Python it builds the environment with, as a user names it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

VERSIONS = ("3.11", "3.12", "3.13")
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_every_place_names_the_same_versions_of_python() -> None:
    (below,) = re.findall(r"3\.(\d+)", VERSIONS[-1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={VERSIONS[0]},<3.{int(below) + 1}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"PYTHONS := {' '.join(VERSIONS)}\n" in makefile
    assert f"(3, 11) <= sys.version_info < (3, {int(below) + 1})" in makefile
    *others, last = VERSIONS
    assert f"Python {', '.join(others)} or {last}" in (ROOT / "README.md").read_text(encoding="utf-8")


def make(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """As a user calls it: nothing comes from the make that may be running these tests."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=outer | environ, capture_output=True, text=True, check=False)


def made(environment: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The step of make that creates an environment, without what is installed into it. UV: built by venv and pip."""
    return make("UV=", f"VENV={environment}", *arguments, f"{environment}/.created", **environ)


def python_of(environment: Path) -> str:
    command = [str(environment / "bin" / "python"), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def quick(folder: Path, python: str) -> str:
    """A program that is that Python, and whose environments are made without pip, which is most of the work."""
    program = folder / f"quick-{python.replace('/', '-')}"
    program.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "-m venv" ] && shift 2 && set -- -m venv --without-pip "$@"\nexec {python} "$@"\n'
    )
    program.chmod(0o755)
    return str(program)


def another_python() -> str:
    """A supported Python of another version than the one that runs these tests."""
    for version in set(VERSIONS) - {OWN}:
        command = [f"python{version}", "-c", "import sys, venv; print(sys.executable)"]
        environ = os.environ | {"PYENV_VERSION": version}  # which its launchers go by
        try:
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return done.stdout.strip()
    pytest.skip("no second supported Python is on PATH")


def fake_python(folder: Path, says: str) -> str:
    """A program that is a Python of a version that is not supported."""
    program = folder / "python-of-old"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{says}" || exit 1\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("by", ["environment", "command line"])
def test_a_python_that_cannot_be_used_is_an_error_that_names_it(tmp_path: Path, by: str) -> None:
    old = fake_python(tmp_path, "Python 3.10.13")
    environment = tmp_path / "venv"
    done = made(environment, PYTHON=old) if by == "environment" else made(environment, f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr
    assert f"{old}: Python 3.10.13" in done.stderr
    assert not environment.exists()


def test_a_python_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    done = made(tmp_path / "venv", PYTHON="/nowhere/python3")
    assert done.returncode != 0
    assert "/nowhere/python3: " in done.stderr
    assert "Name one with make PYTHON=" in done.stderr


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    environment, mark, own = tmp_path / "venv", tmp_path / "venv" / "mark", quick(tmp_path, sys.executable)
    first = made(environment, PYTHON=own)
    assert first.returncode == 0, first.stderr
    assert python_of(environment) == OWN
    mark.touch()
    for again in (made(environment), made(environment, PYTHON=own), made(environment, "PYTHON=")):
        assert (again.returncode, again.stderr) == (0, "")
        assert mark.exists()
    assert made(environment, PYTHON="/nowhere/python3").returncode != 0
    assert mark.exists()


def test_another_python_makes_the_environment_again(tmp_path: Path) -> None:
    environment, other = tmp_path / "venv", quick(tmp_path, another_python())
    assert made(environment, PYTHON=quick(tmp_path, sys.executable)).returncode == 0
    changed = made(environment, PYTHON=other)
    assert changed.returncode == 0, changed.stderr
    assert changed.stdout.startswith(f"Creating {environment} with Python 3.")
    assert python_of(environment) != OWN


def test_an_environment_whose_python_is_gone_is_made_again(tmp_path: Path) -> None:
    environment, own = tmp_path / "venv", quick(tmp_path, sys.executable)
    assert made(environment, PYTHON=own).returncode == 0
    python = environment / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    done = made(environment, PYTHON=own)
    assert done.returncode == 0, done.stderr
    assert python_of(environment) == OWN


def test_the_matrix_tells_which_pythons_are_missing() -> None:
    done = make("matrix", "PYTHONS=3.98 3.99")
    assert done.returncode != 0
    assert "Passed on Python: none." in done.stdout
    assert "no pythonX.Y on PATH: 3.98 3.99." in done.stdout


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [("License-Expression: AGPL-3.0-only\n", "AGPL-3.0-only"), ("", "UNKNOWN")],
    ids=["not allowed", "none"],
)
def test_a_dependency_whose_licence_is_not_allowed_is_named(tmp_path: Path, metadata: str, licence: str) -> None:
    described = tmp_path / "borrowed-1.0.dist-info" / "METADATA"
    described.parent.mkdir()
    described.write_text(f"Metadata-Version: 2.4\nName: borrowed\nVersion: 1.0\n{metadata}")
    done = subprocess.run(
        [Path(sys.prefix) / "bin" / "pip-licenses"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"license {licence} not in allow-only licenses was found for package borrowed:1.0" in done.stderr
