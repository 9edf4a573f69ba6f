"""What a newcomer meets before anything of ours runs: the Makefile and the script that installs the tests' programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def made(folder: Path) -> str:
    """What make would run for the list of sources, with `folder` as the repository."""
    shutil.copy(ROOT / "Makefile", folder)
    return subprocess.run(["make", "-n", ".venv/sources.txt"], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_an_environment_that_came_out_without_pip_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    assert "python3 -m venv --clear .venv" in made(tmp_path)
    (tmp_path / ".venv/bin/pip").touch()
    assert "venv --clear" not in made(tmp_path)


@pytest.mark.parametrize("sudo", [True, False])
def test_programs_are_installed_through_sudo_or_named(tmp_path: Path, sudo: bool) -> None:
    """With commands that only say how they were called, and a user who is not root."""
    for name, body in {"dpkg": "exit 1", "id": "echo 1000", "apt-get": "exit 1", "sudo": 'echo sudo "$@"'}.items():
        if sudo or name != "sudo":
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
    shell = shutil.which("sh")
    assert shell is not None
    script, environment = str(ROOT / "tests/setup.sh"), {**os.environ, "PATH": str(tmp_path)}
    result = subprocess.run([shell, script], env=environment, capture_output=True, text=True)
    packages = "imagemagick fonts-noto-color-emoji nodejs npm"
    if sudo:
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.splitlines()[-1].endswith(f"apt-get install -q -y --no-install-recommends {packages}")
    else:
        assert (result.returncode, result.stderr) == (1, f"please install: {packages}\n")
