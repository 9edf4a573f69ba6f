"""`acetate doctor` says of everything whether it works, and of what does not what to do."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine import builtin
from acetate.engine.device import devices
from acetate.server.commands import doctor

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def found(acetate: Command) -> Callable[[], dict[str, Any]]:
    """Findings by subject, as `--json` prints them; the last of each."""

    def look() -> dict[str, Any]:
        code, out, _ = acetate("doctor", "--json")
        assert code == 0
        return {line["subject"]: line for line in json.loads(out)}

    return look


def test_every_note_has_a_remedy(found: Callable[[], dict[str, Any]], acetate: Command) -> None:
    lines = found()
    assert {"python", "libraries", "device cpu", "acceleration on cpu", "model sketchpad", "server"} <= lines.keys()
    assert all(line["good"] or line["remedy"] for line in lines.values())
    _, out, _ = acetate("doctor")
    assert out.count("NOTE") == out.count("remedy:") == sum(not line["good"] for line in lines.values())


def test_a_package_that_is_missing_is_named(found: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    version, find = metadata.version, importlib.util.find_spec

    def without(name: str) -> str:
        if name == "psd-tools":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "spandrel" else find(name, *more))
    lines = found()
    assert lines["libraries"]["text"] == "psd-tools not installed"
    assert "Lanczos" in lines["upscalers"]["text"]


@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_a_damaged_file_of_the_built_in_model_is_found(
    found: Callable[[], dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    broken = tmp_path / "sketchpad"
    shutil.copytree(builtin.FOLDER, broken)
    file = broken / "vae" / "diffusion_pytorch_model.safetensors"
    if damage == "gone":
        shutil.rmtree(broken / "vae")
    else:
        file.write_bytes(file.read_bytes()[:5000])
    monkeypatch.setattr(builtin, "FOLDER", broken)
    line = found()["model sketchpad"]
    assert not line["good"] and "vae" in line["text"]


def test_the_users_models_are_listed_with_what_they_lack(
    found: Callable[[], dict[str, Any]], checkpoint: Callable[[str], Path], acetate: Command
) -> None:
    folder = Path("mine")
    folder.mkdir()
    checkpoint("sdxl").rename(folder / "my_style.safetensors")
    (folder / "torn.safetensors").write_bytes(b"\xff" * 100)
    acetate("models", "add", folder)
    lines = found()
    assert lines["model my_style"]["good"] and "sdxl" in lines["model my_style"]["text"]
    assert lines["LayerDiffuse for sdxl"]["remedy"] == "acetate models pull sdxl"
    assert not lines["model torn"]["good"] and "cannot be used" in lines["model torn"]["text"]


@pytest.mark.parametrize(
    ("kind", "hip", "name"),
    [("mps", None, "Apple's MPS"), ("xpu", None, "Intel's XPU"), ("cuda", "7.0", "ROCm"), ("cuda", None, ""), ("cpu", None, "")],
)
def test_an_untried_kind_of_device_is_said_to_be_so(
    acetate: Command, monkeypatch: pytest.MonkeyPatch, kind: str, hip: str | None, name: str
) -> None:
    monkeypatch.setattr(devices, "available", lambda: [kind])
    monkeypatch.setattr(devices, "memory", lambda kind: (0, 0))
    monkeypatch.setattr(torch.version, "hip", hip)
    code, out, err = acetate("doctor")
    assert code == 0, err
    assert f"ok   device {kind}: " in out
    assert (f"NOTE device {kind}: this program has never been run on {name}\n" in out) is bool(name)
    assert ("never been run" in out) is bool(name)


def test_a_server_is_running_if_it_answers_and_not_if_its_file_says_so(
    found: Callable[[], dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed one leaves its file; one that listens elsewhere than it says cannot be reached by the editors either."""
    assert found()["server"]["text"].startswith("not running")
    said = {"url": "ws://127.0.0.1:9/", "token": "t", "pid": 5, "protocol": 1}
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "server.json").write_text(json.dumps(said))
    line = found()["server"]
    assert not line["good"] and "ws://127.0.0.1:9/" in line["text"] and "server.json" in line["remedy"]
    monkeypatch.setattr("acetate.protocol.client.server_requests.ask", lambda address, page: {"version": "0.1.0"})
    line = found()["server"]
    assert line["good"] and "0.1.0 answers at ws://127.0.0.1:9/" in line["text"]
