"""`acetate doctor`: what works here, what does not, and the remedy for each."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from acetate.protocol import Failure

if TYPE_CHECKING:
    from acetate.protocol import Address

from ..command_line import json_option

PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "pillow", "psd-tools", "websockets", "huggingface-hub")
PIP = "in the program's folder: make setup, or pip install -c constraints.txt ."
SPANDREL = "pip install --no-deps spandrel einops"


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    subject: str
    good: bool
    text: str
    remedy: str = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the form of the answer."""
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Look at everything and print it; the command succeeds whatever is missing."""
    lines = list(findings())
    if options.json:
        print(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        for line in lines:
            print(f"{'ok  ' if line.good else 'NOTE'} {line.subject}: {line.text}")
            if line.remedy:
                print(f"       remedy: {line.remedy}")
    return 0


def findings() -> Iterator[Line]:
    """All lines, in the order of the stack: machine, libraries, models, server, editors."""
    yield Line("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield from _devices()
    yield from _models()
    yield from _server()
    yield from _editors()


def _packages() -> Iterator[Line]:
    found = {name: _version(name) for name in PACKAGES}
    missing = [name for name, version in found.items() if version is None]
    yield Line("libraries", not missing, ", ".join(f"{name} {version}" for name, version in found.items() if version))
    if missing:
        yield Line("libraries", False, f"{', '.join(missing)} not installed", PIP)
    if importlib.util.find_spec("spandrel") is None:
        yield Line("upscalers", False, "spandrel is not installed: upscaling uses Lanczos alone", SPANDREL)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> Iterator[Line]:
    import torch
    from acetate.engine.device.card_kernels import lack
    from acetate.engine.device.devices import available, count, memory
    from acetate.engine.models.runtime import described

    for kind in available():
        free, total = memory(kind)
        text = f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free" if total else "memory unknown"
        yield Line(f"device {kind}", True, text + (f", {torch.get_num_threads()} threads" if kind == "cpu" else ""))
        for device in map(torch.device, [kind] if count(kind) == 1 else [f"{kind}:{index}" for index in range(count(kind))]):
            missing, remedy = lack(device)
            if missing:
                yield Line(f"device {device}", False, missing, remedy)
        yield Line(f"acceleration on {kind}", True, described(torch.device(kind)))
        if name := _untried(kind):
            yield Line(
                f"device {kind}", False, f"this program has never been run on {name}", "if it fails there, use --device cpu"
            )
    if available() == ["cpu"]:
        yield Line(
            "device", False, "no accelerator: large models are slow here", "install a torch build for your GPU: pytorch.org"
        )


def _untried(kind: str) -> str:
    """The name of a kind of device on which the program has never been tried; empty for the others."""
    import torch

    if kind == "cuda":
        return "ROCm" if torch.version.hip else ""
    return {"mps": "Apple's MPS", "xpu": "Intel's XPU"}.get(kind, "")


def _models() -> Iterator[Line]:
    from acetate.engine import builtin
    from acetate.engine.files import catalogue
    from acetate.engine.files.library import Library

    yield _built_in(builtin.FOLDER, builtin.NAME)
    installed = Library().installed()
    for one in installed:
        if one.kind.role == "checkpoint" or one.problem:
            what = f"{one.family or one.kind.what}, {one.path}"
            problem = f"{one.path} cannot be used: {one.problem}"
            remedy = (one.hint or "choose another file: docs/models.md") if one.problem else ""
            yield Line(f"model {one.name}", not one.problem, problem if one.problem else what, remedy)
    checkpoints = [one for one in installed if one.kind.role == "checkpoint" and not one.problem]
    for family in sorted({one.family for one in checkpoints if one.family}):
        there = {one.row.role for one in installed if one.row is not None and one.row.family == family}
        missing = [row for row in catalogue.named(family) if row.role != "checkpoint" and row.role not in there]
        if missing:
            names = ", ".join(row.file for row in missing)
            yield Line(f"LayerDiffuse for {family}", False, f"{names} not found", f"acetate models pull {family}")


def _built_in(folder: Path, name: str) -> Line:
    """Whether every weight file of the package's own model can be read."""
    from acetate.engine.files.headers import read_header
    from acetate.engine.values.errors import EngineError

    networks = ("unet", "vae", "text_encoder", "transparent_encoder", "transparent_decoder")
    if missing := [part for part in networks if not list((folder / part).glob("*.safetensors"))]:
        return Line(f"model {name}", False, f"{folder} has no weights of {', '.join(missing)}", "install the program again")
    files = sorted(folder.rglob("*.safetensors"))
    for file in files:
        try:
            read_header(file)
        except EngineError as error:
            return Line(f"model {name}", False, str(error), "install the program again")
    return Line(f"model {name}", True, f"built in, {sum(file.stat().st_size for file in files) / 1e6:.0f} MB")


def _server() -> Iterator[Line]:
    from acetate.protocol import ProtocolError, home, running_server
    from acetate.protocol.client.server_requests import ask

    if (running := running_server()) is None:
        yield Line("server", True, "not running; the editors start it")
        return
    where = f"{running.address.url} (process {running.pid})"
    try:
        said = ask(running.address, "/healthz")
    except ProtocolError as error:
        remedy = f"if no server runs, delete {home() / 'server.json'}; else stop it and start it again: acetate serve"
        yield Line("server", False, f"it should be at {where}, and cannot be reached there: {error}", remedy)
        return
    yield Line("server", True, f"version {said.get('version')} answers at {where}")
    yield from _devices_of_server(running.address)


def _devices_of_server(address: Address) -> Iterator[Line]:
    """The devices of the running server, by its own word."""
    from acetate.protocol import Client, ProtocolError

    try:
        with Client("acetate doctor", address=address) as client:
            engine = client.wait_until_connected().engine
    except ProtocolError as error:
        yield Line("server's devices", False, error.failure.message, error.failure.hint or "restart it: acetate serve")
        return
    for device in engine.devices:
        text = {"ready": f"works, {device.model or 'no model'} lies on it", "starting": "is starting"}.get(device.state)
        said = device.failure or Failure("engine-unavailable", "has failed")
        remedy = said.hint or "the server tries it again by itself; its log says more"
        yield Line(f"server's device {device.name}", device.state != "failed", text or said.message, "" if text else remedy)


def _editors() -> Iterator[Line]:
    from acetate.plugins.report import findings as of_editors

    for finding in of_editors():
        yield Line(finding.subject, finding.good, finding.text, finding.remedy)
