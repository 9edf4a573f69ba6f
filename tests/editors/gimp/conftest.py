"""The real GIMP with the plug-in installed, and a server for it to speak to.

The claims themselves are in `inside/`: they run in GIMP and leave their outcome as JSON. Claims about layers have a server that
draws (`drawing_server`): with the built-in model where that is installed, or as ACETATE_TEST_ENGINE says, `builtin` or `fake`.
To claims about the window it does not matter what is drawn; they have the fake engine (`server`), which is as slow as they want.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from acetate.plugins.hosts import GIMP
from acetate.plugins.install import assemble

HERE = Path(__file__).parent
HOST = Path("/host")
"""Where the tree shows this machine's files."""
SECONDS = 1500
"""For all claims of a module: plenty, so that only what hangs is ended."""
SCREEN = "1390x825"
SHORTCUTS = """(file-version 1)
(action "acetate-generate-layer" "<Primary>F5")
(action "acetate-history" "<Primary>F6")
(action "acetate-insert-layers-from-file" "<Primary>F7")
(action "acetate-repeat-with-new-seed" "<Primary>F8")
(action "acetate-generate-scene" "<Primary><Shift>F5")
(action "acetate-object-on-background" "<Primary><Shift>F6")
(action "acetate-background-for-layer" "<Primary><Shift>F7")
(action "acetate-refine-layer" "<Primary><Shift>F8")
(action "acetate-repaint-selection" "<Primary><Shift>F9")
(action "acetate-upscale-layer" "<Primary><Shift>F11")
"""
"""One key each: a path through the menu is several, of which a busy GIMP may lose one."""
QUIET = '(show-welcome-dialog no)\n(check-updates no)\n(config-version "{version}")\n'


def engine_name() -> str:
    spec = importlib.util.find_spec("acetate.engine")
    assert spec is not None and spec.origin is not None
    installed = any((Path(spec.origin).parent / "builtin" / "sketchpad").glob("**/*.safetensors"))
    return os.environ.get("ACETATE_TEST_ENGINE") or ("builtin" if installed else "fake")


def server_command(engine: str) -> list[str]:
    chosen = ["--engine", "fake"] if engine == "fake" else []
    return [sys.executable, "-m", "acetate.server", "serve", *chosen]


def engine(name: str) -> dict[str, str]:
    """What tells the claims which engine there is, and how the plug-in starts a server with it."""
    command = ["chroot", str(HOST), *server_command(name), "--port", "0"]
    return {"ENGINE": name, "SERVER": json.dumps(command)}


def claims(modules: str) -> list[str]:
    """The checks of modules in `inside/`, by name, without importing them: they need GIMP."""
    trees = [ast.parse((HERE / "inside" / f"{module}.py").read_text(encoding="utf-8")) for module in modules.split(",")]
    nodes = [node for tree in trees for node in tree.body]
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


@dataclass
class Gimp:
    """GIMP in its tree, with a configuration folder of its own."""

    tree: Any
    share: Path
    """Seen under the same name inside."""
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.share / "config"

    @property
    def out(self) -> Path:
        return self.share / "out"

    @property
    def state(self) -> Path:
        """ACETATE_HOME of a server that draws, and of the plug-in."""
        return self.share / "state"

    @property
    def fake_state(self) -> Path:
        """The same with the fake engine."""
        return self.share / "fake"

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "HOME": str(self.share / "home"),
            "GIMP3_DIRECTORY": str(self.config),
            "XDG_RUNTIME_DIR": str(self.share / "run"),
            "ACETATE_HOME": str(self.state),
            "ACETATE_FAKE": str(self.share),
            "NO_AT_BRIDGE": "1",
            "GTK_A11Y": "none",
            "PYTHONPYCACHEPREFIX": str(self.share / "bytecode"),
            "PYTHONUNBUFFERED": "1",
            "CHECKS": str(HOST) + str(HERE / "inside"),
            "OUT": str(self.out),
            **engine(engine_name()),
            **more,
        }

    def run(self, command: list[str], log: Path, **environment: str) -> int:
        code: int = self.tree.run(command, share=self.share, env=self.environment(**environment), timeout=SECONDS, log=log)
        return code

    def outcome(self, modules: str, claim: str, *, fake: bool, home: Path | None, on_screen: str, **more: str) -> dict[str, Any]:
        """What became of a claim; all claims of the modules (their names with commas between) run in one GIMP on first use."""
        if modules not in self.outcomes:
            report, log = self.out / f"{modules}.json", self.out / f"{modules}.log"
            session = f"{HOST}{HERE}/inside/session.py"
            console = ["gimp-console-3", "-n", "-i", "-d", "-f", "--batch-interpreter=python-fu-eval", "-b"]
            screen = [f"{HOST}{HERE.parent}/with_screen.sh", on_screen, "python3", session]
            command = screen if on_screen else [*console, f'exec(open("{session}").read())', "--quit"]
            only = claim if os.environ.get("ACETATE_ONE_CLAIM") else ""
            place = str(home or (self.fake_state if fake else self.state))
            environment = {"MODULES": modules, "REPORT": str(report), "ONLY": only, "ACETATE_HOME": place}
            code = self.run(command, log, **environment, **(engine("fake") if fake else {}), **more)
            found = json.loads(report.read_text()) if report.exists() else {}
            self.outcomes[modules] = found
            if not found:
                pytest.fail(
                    f"GIMP ended with {code} before the first check; its last words:\n{log.read_text(errors='replace')[-3000:]}"
                )
        missing = {"outcome": f"GIMP did not come to this check; see {self.out / modules}.log", "seconds": 0}
        return self.outcomes[modules].get(claim, missing)

    def prove(
        self,
        modules: str,
        claim: str,
        *,
        fake: bool = False,
        home: Path | None = None,
        on_screen: bool | str = False,
        **more: str,
    ) -> None:
        """Fail with the traceback from inside unless the claim holds.

        `fake` is for the fake engine, `home` for another ACETATE_HOME than its server's; `on_screen` may be the screen's size,
        `more` is its environment.
        """
        screen = SCREEN if on_screen is True else on_screen or ""
        outcome = self.outcome(modules, claim, fake=fake, home=home, on_screen=screen, **more)["outcome"]
        if outcome != "passed":
            pytest.fail(outcome, pytrace=False)


@pytest.fixture(scope="session")
def gimp(tree: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gimp]:
    found = Gimp(tree, tmp_path_factory.mktemp("gimp"))
    for folder in ("config/plug-ins", "home", "out", "state", "run"):
        (found.share / folder).mkdir(parents=True)
    (found.share / "run").chmod(0o700)
    assemble(GIMP, found.config / "plug-ins", python=_python(tree, found.share))
    log = found.out / "version.log"
    found.run(["gimp-console-3", "--version"], log)
    version = next(word for word in log.read_text(errors="replace").split() if word[0].isdigit() and word.count(".") == 2)
    (found.config / "gimprc").write_text(QUIET.format(version=version))
    (found.config / "shortcutsrc").write_text(SHORTCUTS)
    with remembered_procedures(found):
        yield found


def _python(tree: Any, folder: Path) -> Path:
    """The tree's Python as a program of this machine, for work in the folder that its last word names.

    It compiles the plug-in, as an installation does: GIMP starts one anew for every call.
    """
    program, enter = folder / "python", HERE.parent / "enter_tree.sh"
    program.write_text(f'#!/bin/sh\nfor folder; do :; done\nexec {enter} {tree.path} "$folder" python3 "$@"\n')
    program.chmod(0o755)
    return program


@contextlib.contextmanager
def preferring(gimp: Gimp, setting: str) -> Iterator[None]:
    """GIMP's preferences with this line more."""
    settings = gimp.config / "gimprc"
    before = settings.read_text()
    settings.write_text(f"{before}{setting}\n")
    try:
        yield
    finally:
        settings.write_text(before)


@contextlib.contextmanager
def remembered_procedures(gimp: Gimp) -> Iterator[None]:
    """Spare GIMP from asking its own hundred plug-ins again: what it wrote down about them is kept beside the tree.

    GIMP itself asks anew wherever a file has changed; our plug-in lies in another folder each time and is always asked.
    """
    remembered, kept = gimp.config / "pluginrc", Path(f"{gimp.tree.path}.gimp-pluginrc")
    if kept.exists():
        shutil.copyfile(kept, remembered)
    yield
    if remembered.exists() and not kept.exists():
        unfinished = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copyfile(remembered, unfinished)
        unfinished.replace(kept)


@pytest.fixture(scope="session")
def drawing_server(gimp: Gimp) -> Iterator[None]:
    """A server outside, for claims in which nothing goes wrong."""
    with serving(gimp.state, engine_name()):
        yield


@pytest.fixture(scope="session")
def server(gimp: Gimp) -> Iterator[None]:
    """The same with the fake engine."""
    with serving(gimp.fake_state, "fake"):
        yield


@contextlib.contextmanager
def serving(home: Path, engine: str) -> Iterator[None]:
    """A server process that listens when the block begins and is gone after it; what a fake engine lists lies in `home`, too."""
    environment = {**os.environ, "ACETATE_HOME": str(home), "ACETATE_FAKE": str(home), "OMP_NUM_THREADS": "1"}
    command = [*server_command(engine), "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "ws://" in line:
                break
        else:
            raise AssertionError("the server ended: " + "".join(said))
        draining = threading.Thread(target=process.stdout.read, daemon=True)  # or the pipe would fill up
        draining.start()
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)
            draining.join()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.editors)


@pytest.fixture(scope="session", autouse=True)
def _kept(gimp: Gimp) -> Iterator[None]:
    """Keep reports and screenshots where ACETATE_KEEP says, for a person to look at."""
    yield
    if keep := os.environ.get("ACETATE_KEEP"):
        shutil.copytree(gimp.out, keep, dirs_exist_ok=True)
