"""Krita, started once with the plug-in installed and a driver beside it that works through the scenarios."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from acetate.engine import builtin
from acetate.plugins.hosts import KRITA, with_setting
from acetate.plugins.install import install

HERE = Path(__file__).parent
SECONDS = 1800
"""Of one Krita, however many claims it works through; a claim that hangs ends by the driver's own patience long before."""
START_SECONDS = 120
SCREEN = "1600x1000"
deaths: list[str] = []
"""Krita's own, as the summary of the test run tells them."""


DIED = {128 + number: number.name for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE)}
"""Exit codes of a Krita that ended by itself, without being asked to."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run of Krita."""

    results: Mapping[str, Any]
    folder: Path
    """Its log and pictures."""

    def judge(self, claim: str) -> None:
        found = self.results.get(claim)
        assert found is not None, f"Krita did not get so far; its log is in {self.folder}"
        assert found["ok"], found["error"]


class Computer:
    """A home folder inside a shared folder, with Krita's own files in it and our plug-in installed."""

    def __init__(self, tree: Any, share: Path) -> None:
        self.tree, self.share, self.home = tree, share, share / "home"
        self._died = False
        """Krita by itself; once is forgiven."""
        self._template = tree.path.with_name(tree.path.name + ".krita-home")
        if self._template.is_dir():  # a new home costs Krita 20 s: it builds its resource cache
            shutil.copytree(self._template, self.home, symlinks=True)
        for folder in (".config", ".local/share"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        # Drawing the canvas by OpenGL in software compiles shaders for half a minute.
        (self.home / ".config/kritadisplayrc").write_text("OpenGLRenderer=none\n")
        (share / "run").mkdir(mode=0o700)
        (share / "out").mkdir()
        self.env = {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_RUNTIME_DIR": str(share / "run"),
            "ACETATE_HOME": str(share / "acetate"),
            "ACETATE_FAKE": str(share / "acetate"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",  # Krita's own plug-ins
            "NO_AT_BRIDGE": "1",
        }

    def set_theme(self, name: str) -> None:
        config = self.home / ".config/kritarc"
        config.write_text(with_setting(config.read_text(), "theme", "Theme", name))

    def install_plugin(self) -> None:
        with mock.patch.dict(os.environ, self.env):
            install(KRITA, enable=True)

    def run(
        self, modules: str, *, server: Server | None = None, env: Mapping[str, str] | None = None, seconds: float = SECONDS
    ) -> Outcome:
        """Work through the claims of the modules in this folder, comma-separated."""
        plugins = self.home / ".local/share/krita/pykrita"
        shutil.copytree(HERE / "driver", plugins, dirs_exist_ok=True)
        config = self.home / ".config/kritarc"
        config.write_text(with_setting(config.read_text(), "python", "enable_acetate_driver", "true"))
        driver = {
            "DRIVER_ENGINE": server.engine if server is not None else "fake",
            "DRIVER_OUT": str(self.share / "out"),
            "DRIVER_SCENARIOS": f"/host{HERE}",
            "DRIVER_MODULES": modules,
            **{name: os.environ[name] for name in ("DRIVER_ONLY", "DRIVER_PATIENCE") if name in os.environ},
            **(env or {}),
        }
        code, results, log = self._start(driver, server, seconds)
        if code in DIED and not self._died:
            self._died = True
            shutil.copy(self.share / "out/krita.log", self.share / "out/krita-died.log")
            told = log[max(0, log.find("Fatal Python error")) :]
            deaths.append(f"Krita died of {DIED[code]} after {list(results)[-1:]}; a fresh one went on.\n{told[:4000]}")
            self._forget_death()
            code, more, log = self._start({**driver, "DRIVER_SKIP": ",".join(results)}, server, seconds)
            results |= more
        if code == 0:
            self._keep_home()
        results["krita_ends_cleanly"] = {"ok": code == 0, "error": f"exit code {code}\n{log[-6000:]}"}
        return Outcome(results, self.share / "out")

    def _start(self, driver: Mapping[str, str], server: Server | None, seconds: float) -> tuple[int, dict[str, Any], str]:
        """One Krita from start to end: its exit code, what came of the claims that it finished, and its log."""
        out = self.share / "out"
        (out / "results.json").unlink(missing_ok=True)
        screen, log = f"/host{HERE.parent}/with_screen.sh", out / "krita.log"
        with obeying(server, out):
            code = self.tree.run(
                [screen, SCREEN, "krita", "--nosplash"],
                share=self.share,
                env={**self.env, **driver},
                timeout=seconds,
                log=log,
            )
        results = json.loads((out / "results.json").read_text()) if (out / "results.json").exists() else {}
        return code, results, log.read_text(errors="replace")

    def _forget_death(self) -> None:
        """Krita asks at its start whether to open what a dead one left behind."""
        for left in [*self.home.glob(".*-autosave.*"), *self.share.glob("**/*-autosave.kra")]:
            left.unlink()

    def _keep_home(self) -> None:
        """The first finished home becomes the template of the next ones."""
        if not self._template.exists():
            fresh = self._template.with_name(self._template.name + f".{os.getpid()}")
            shutil.copytree(self.home, fresh, symlinks=True)
            shutil.rmtree(fresh / ".local/share/krita/pykrita", ignore_errors=True)
            shutil.rmtree(fresh / ".local/share/krita/actions", ignore_errors=True)
            (fresh / ".config/kritarc").unlink(missing_ok=True)
            fresh.rename(self._template)


class Server:
    """`acetate serve` outside the tree, in a folder that the plug-in inside sees as well."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.folder, self.engine = folder, engine
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        self.folder.mkdir(exist_ok=True)
        state = self.folder / "server.json"
        state.unlink(missing_ok=True)
        command = [sys.executable, "-m", "acetate.server", "serve", "--port", "0"]
        if self.engine == "fake":
            command += ["--engine", "fake"]
        environment = {**os.environ, "ACETATE_HOME": str(self.folder), "ACETATE_FAKE": str(self.folder), "OMP_NUM_THREADS": "1"}
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while not state.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "serve.log").read_text()
            select.select([], [], [], 0.02)
        return self

    def kill(self) -> None:
        """As a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def obey(self, folder: Path, ended: threading.Event) -> None:
        """Do what the scenarios ask for by files in the folder, and take the files away."""
        while not ended.wait(0.05):
            for what in ("kill", "start", "stop"):
                asked = folder / f"ask-{what}"
                if asked.exists():
                    getattr(self, what)()
                    asked.unlink()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextlib.contextmanager
def obeying(server: Server | None, folder: Path) -> Iterator[None]:
    ended = threading.Event()
    thread = threading.Thread(target=server.obey, args=(folder, ended)) if server is not None else None
    if thread is not None:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if thread is not None:
            thread.join()


def built_in_engine() -> str:
    """The engine with the built-in model where that is installed, else the fake one. ACETATE_TEST_ENGINE decides otherwise."""
    there = (builtin.FOLDER / "model_index.json").exists()
    return os.environ.get("ACETATE_TEST_ENGINE") or ("engine" if there else "fake")


@pytest.fixture(scope="module")
def server(computer: Computer) -> Iterator[Server]:
    """With the fake engine, which prompts can script."""
    running = Server(computer.share / "acetate", "fake").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def drawing_server(computer: Computer) -> Iterator[Server]:
    """With the built-in model."""
    running = Server(computer.share / "acetate", built_in_engine()).start()
    yield running
    running.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `claim` runs once for each claim of the modules that its file names in CLAIMS_OF."""
    if "claim" in metafunc.fixturenames:
        found = [claim for module in metafunc.module.CLAIMS_OF for claim in claims(module)]
        metafunc.parametrize("claim", [*found, "krita_ends_cleanly"])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A crash of Krita's own does not fail a run, but nobody shall overlook it."""
    for death in deaths:
        terminalreporter.section("Krita crashed")
        terminalreporter.write_line(death)


def claims(module: str) -> list[str]:
    """The functions of a scenario module that are marked as claims; the modules themselves can only be imported inside Krita."""
    body = ast.parse((HERE / f"{module}.py").read_text()).body
    return [
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(one, ast.Name) and one.id == "claim" for one in node.decorator_list)
    ]


@pytest.fixture(scope="module")
def computer(tree: Any, tmp_path_factory: pytest.TempPathFactory) -> Computer:
    made = Computer(tree, tmp_path_factory.mktemp("krita"))
    made.install_plugin()
    return made
