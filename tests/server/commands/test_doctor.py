"""`acetate doctor` says of everything whether it works, and of what does not what to do."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from acetate import protocol
from acetate.engine import builtin
from acetate.engine.device import devices
from acetate.protocol import Failure, ProtocolError
from acetate.protocol.messages import Device, Engine
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


def test_a_card_without_kernels_is_named_with_the_build_that_has_them(
    found: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "available", lambda: ["cuda"])
    monkeypatch.setattr(devices, "memory", lambda kind: (0, 0))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80", "sm_86", "sm_90", "sm_120"])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: ("RTX 3060", "GTX 1080")[device.index])
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: ((8, 6), (6, 1))[device.index])
    lines = found()
    assert "device cuda:0" not in lines
    assert (
        not lines["device cuda:1"]["good"]
        and "no kernels for GTX 1080 (compute capability 6.1)" in lines["device cuda:1"]["text"]
    )
    assert "cu126" in lines["device cuda:1"]["remedy"]


def test_the_devices_of_the_running_server_are_shown_with_what_is_wrong(
    found: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answering:
        """The place of a client whose server has these devices."""

        def __init__(self, name: str, address: Any) -> None:
            assert address == "where it is"

        def __enter__(self) -> Answering:
            return self

        def __exit__(self, *_: object) -> None: ...

        def wait_until_connected(self) -> Any:
            gone = Failure("engine-unavailable", "device 'cuda:7' is not available", "this machine has 1 of that kind")
            failed = Device("cuda:2", "failed", failure=Failure("worker-crashed", "killed"))
            devices = (
                Device("cuda:0", "ready", "painter"),
                Device("cuda:1", "starting"),
                Device("cuda:7", "failed", failure=gone),
            )
            return SimpleNamespace(engine=Engine("ready", devices=(*devices, failed)))

    address = SimpleNamespace(address="where it is", pid=7)
    monkeypatch.setattr(doctor, "_server", lambda: doctor._devices_of_server(address.address))
    monkeypatch.setattr(protocol, "Client", Answering)
    lines = found()

    assert lines["server's device cuda:0"] == {
        "subject": "server's device cuda:0",
        "good": True,
        "text": "works, painter lies on it",
        "remedy": "",
    }
    assert lines["server's device cuda:1"]["good"]
    assert lines["server's device cuda:7"]["text"] == "device 'cuda:7' is not available"
    assert lines["server's device cuda:7"]["remedy"] == "this machine has 1 of that kind"
    assert "tries it again" in lines["server's device cuda:2"]["remedy"]


def test_a_server_that_does_not_answer_is_said(found: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        """The place of a client without a server."""

        def __init__(self, name: str, address: Any) -> None: ...

        def __enter__(self) -> Silent:
            raise ProtocolError("connection-lost", "nothing answers")

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(doctor, "_server", lambda: doctor._devices_of_server("where it is"))  # type: ignore[arg-type]
    monkeypatch.setattr(protocol, "Client", Silent)

    assert found()["server's devices"] == {
        "subject": "server's devices",
        "good": False,
        "text": "nothing answers",
        "remedy": "restart it: acetate serve",
    }


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
