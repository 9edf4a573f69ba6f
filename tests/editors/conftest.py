"""The tree with the real Krita and the real GIMP, built on first use, for the tests of both plug-ins.

Does not know what an editor is asked to do: `krita/` and `gimp/` bring their own drivers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Tree:
    """A Debian tree with editors in it."""

    path: Path

    def run(self, command: Sequence[str], *, share: Path, env: Mapping[str, str], timeout: float, log: Path) -> int:
        """Run `command` inside with `share` under its own path, its output in `log`; return its exit code.

        Past `timeout` seconds the command and everything that it started is killed, and the code is 124.
        """
        assignments = [f"{name}={value}" for name, value in env.items()]
        with log.open("wb") as output, start(self, ["env", *assignments, *command], share, output) as process:
            try:
                return process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return 124


def start(tree: Tree, command: Sequence[str], share: Path, output) -> subprocess.Popen[bytes]:  # type: ignore[no-untyped-def]
    entered = [str(HERE / "enter_tree.sh"), str(tree.path), str(share), *command]
    return subprocess.Popen(entered, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)


def built(suite: str) -> Tree:
    """Build the tree of `suite`, or find it built; skip where this machine cannot have one."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("the editors' tree needs root on a Debian; tests/editors/build_tree.sh says what it makes")
    done = subprocess.run([str(HERE / "build_tree.sh"), suite], stdout=subprocess.PIPE, text=True, check=True)
    return Tree(Path(done.stdout.strip().splitlines()[-1]))


@pytest.fixture(scope="session")
def tree() -> Tree:
    """Krita 5.2 and GIMP 3.0; another suite of build_tree.sh by the environment's ACETATE_EDITORS_SUITE."""
    return built(os.environ.get("ACETATE_EDITORS_SUITE", "trixie"))
