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

PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "pillow", "psd-tools", "websockets", "huggingface-hub")


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    subject: str
    good: bool
    text: str
    remedy: str = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Only the form of the answer."""
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Look at everything and say it; what is missing is no failure of this command."""
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
    """Every line, in the order of the stack: machine, libraries, models, server, editors."""
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
        yield Line("libraries", False, f"{', '.join(missing)} not installed", "pip install acetate")
    if importlib.util.find_spec("spandrel") is None:
        yield Line(
            "upscalers", False, "spandrel is not installed: upscaling uses Lanczos alone", "pip install 'acetate[upscalers]'"
        )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> Iterator[Line]:
    import torch
    from acetate.engine.devices import available, memory

    for kind in available():
        free, total = memory(kind)
        text = f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free" if total else "memory unknown"
        yield Line(f"device {kind}", True, text + (f", {torch.get_num_threads()} threads" if kind == "cpu" else ""))
    if available() == ["cpu"]:
        yield Line(
            "device", False, "no accelerator: large models are slow here", "install a torch build for your GPU: pytorch.org"
        )


def _models() -> Iterator[Line]:
    from acetate.engine import builtin

    weights = builtin.FOLDER / "unet" / "diffusion_pytorch_model.safetensors"
    remedy = "" if weights.exists() else "install the program again"
    yield Line(f"model {builtin.NAME}", weights.exists(), "built in" if weights.exists() else f"{weights} is missing", remedy)


def _server() -> Iterator[Line]:
    from acetate.protocol import running_server

    running = running_server()
    text = f"running at {running.address.url} (process {running.pid})" if running else "not running; the editors start it"
    yield Line("server", True, text)


def _editors() -> Iterator[Line]:
    from acetate.plugins.report import findings as of_editors

    for finding in of_editors():
        yield Line(finding.subject, finding.good, finding.text, finding.remedy)
