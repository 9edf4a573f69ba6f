"""Upscaler files: which are opened, what is refused and why, and that tiles leave no trace."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, ModelBroken, ModelMissing, OutOfMemory
from acetate.engine.files.library import Library
from acetate.engine.upscaling import upscalers
from acetate.engine.upscaling.upscalers import Network, SpandrelMissing, Upscalers, open_network
from numpy.typing import NDArray
from safetensors.torch import save_file

CPU = torch.device("cpu")
Esrgan = Callable[..., dict[str, torch.Tensor]]


def picture(width: int, height: int) -> NDArray[np.uint8]:
    """Smooth colours with fine structure."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [0.5 + 0.4 * np.sin(x / 9 + c) * np.cos(y / (5 + c)) for c in range(3)]
    return (np.stack(waves, axis=2) * 255).astype(np.uint8)


def enlarged(network: Network, colour: NDArray[np.uint8], shown: NDArray[np.bool_] | None = None, raw: bool = False) -> Any:
    """The result, and what was reported on the way."""
    reports = []
    shown = np.ones(colour.shape[:2], bool) if shown is None else shown
    run = network.enlarge(colour, shown, lambda step, steps: (step, steps), raw=raw)
    while True:
        try:
            reports.append(next(run))
        except StopIteration as end:
            return end.value, reports


@pytest.fixture
def repeating(esrgan: Esrgan, tmp_path: Path) -> Network:
    """A 4x network that repeats every pixel."""
    save_file(esrgan(), tmp_path / "repeat.safetensors")
    return open_network(tmp_path / "repeat.safetensors", CPU)


@pytest.mark.parametrize("layout", ["old", "new", "bsrgan"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_esrgan_opens_in_every_published_layout_and_container(esrgan: Esrgan, tmp_path: Path, layout: str, suffix: str) -> None:
    path = tmp_path / f"4x-{layout}{suffix}"
    save_file(esrgan(layout), path) if suffix == ".safetensors" else torch.save(esrgan(layout), path)

    network = open_network(path, CPU)

    assert (network.name, network.scale) == (f"4x-{layout}", 4)
    colour = picture(20, 13)
    result, _ = enlarged(network, colour)
    assert np.array_equal(result, colour.repeat(4, axis=0).repeat(4, axis=1))


@pytest.mark.parametrize(("doublings", "scale"), [(1, 2), (2, 4), (3, 8)])
def test_the_scale_follows_from_the_keys(esrgan: Esrgan, tmp_path: Path, doublings: int, scale: int) -> None:
    save_file(esrgan("old", doublings=doublings), tmp_path / "net.safetensors")
    network = open_network(tmp_path / "net.safetensors", CPU)

    assert network.scale == scale
    assert enlarged(network, picture(9, 7))[0].shape == (7 * scale, 9 * scale, 3)


def test_a_pth_may_be_wrapped_prefixed_or_of_the_old_container(esrgan: Esrgan, tmp_path: Path) -> None:
    wrapped = {"params_ema": {f"module.{key}": value for key, value in esrgan("new").items()}, "iteration": 5}
    torch.save(wrapped, tmp_path / "wrapped.pth")
    torch.save(esrgan("old"), tmp_path / "legacy.pth", _use_new_zipfile_serialization=False)

    assert open_network(tmp_path / "wrapped.pth", CPU).scale == 4
    assert open_network(tmp_path / "legacy.pth", CPU).scale == 4


class _Attack:
    """Calls a function as soon as it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.marker),))


@pytest.mark.parametrize("container", ["zip", "legacy", "bare"])
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(esrgan: Esrgan, tmp_path: Path, container: str) -> None:
    path, marker = tmp_path / "evil.pth", tmp_path / "ran"
    content = {**esrgan(), "extra": _Attack(marker)}
    if container == "bare":
        path.write_bytes(pickle.dumps(content["extra"], protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=container == "zip")

    with pytest.raises(ModelBroken, match=r"evil\.pth (holds more than tensors|is truncated or corrupt)"):
        open_network(path, CPU)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("net.pt", r"\.pt files may hold programs"),
        ("net.ckpt", r"\.safetensors or \.pth file, not \.ckpt"),
        ("net", "not one without suffix"),
    ],
)
def test_other_files_are_refused_by_their_suffix(esrgan: Esrgan, tmp_path: Path, name: str, said: str) -> None:
    torch.save(esrgan(), tmp_path / name)
    with pytest.raises(ModelBroken, match=said):
        open_network(tmp_path / name, CPU)


def test_damaged_and_foreign_files_are_named_with_the_reason(esrgan: Esrgan, tmp_path: Path) -> None:
    torch.save(esrgan(), tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:3000])
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "text.safetensors").write_text("no tensors at all")
    torch.save([1, 2], tmp_path / "list.pth")
    save_file({"a.weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    broken = esrgan()
    broken["model.1.sub.0.RDB1.conv2.0.weight"] = torch.zeros(3, 3, 3, 3)
    save_file(broken, tmp_path / "shape.safetensors")

    said = {
        "cut.pth": "truncated or corrupt",
        "empty.pth": "truncated or corrupt",
        "text.safetensors": "truncated or corrupt",
        "list.pth": "holds a list instead of named tensors",
        "other.safetensors": "no upscaler that spandrel knows",
        "shape.safetensors": "no upscaler that spandrel knows",
    }
    for name, words in said.items():
        with pytest.raises(ModelBroken, match=rf"{name}.*{words}"):
            open_network(tmp_path / name, CPU)
    with pytest.raises(ModelMissing, match=r"gone\.pth"):
        open_network(tmp_path / "gone.pth", CPU)


def test_a_network_for_other_channels_is_refused(esrgan: Esrgan, tmp_path: Path) -> None:
    grey = esrgan()
    grey["model.0.weight"] = grey["model.0.weight"][:, :1].contiguous()
    grey["model.10.weight"], grey["model.10.bias"] = grey["model.10.weight"][:1].contiguous(), torch.zeros(1)
    save_file(grey, tmp_path / "grey.safetensors")
    with pytest.raises(ModelBroken, match="takes 1 channels to 1; networks from RGB to RGB can be used"):
        open_network(tmp_path / "grey.safetensors", CPU)


def test_a_large_picture_in_tiles_equals_the_whole(repeating: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upscalers.SIDES, "cpu", 96)
    colour = picture(150, 97)

    result, reports = enlarged(repeating, colour)

    assert np.array_equal(result, colour.repeat(4, axis=0).repeat(4, axis=1))
    assert reports == [(i, 4) for i in range(1, 5)]


def test_borders_of_tiles_cannot_be_seen(esrgan: Esrgan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero padding at a tile's edge changes what a network draws there: the feather hides it."""
    save_file(esrgan(noise=1.0), tmp_path / "net.safetensors")
    network = open_network(tmp_path / "net.safetensors", CPU)
    colour = picture(200, 120)

    def jumps(side: int, *parts: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Mean difference of neighbouring columns (of every fourth: the network repeats them)."""
        monkeypatch.setitem(upscalers.SIDES, "cpu", side)
        result = np.concatenate([enlarged(network, part, raw=True)[0] for part in parts], axis=1)[::4, ::4]
        return np.abs(np.diff(result.astype(float), axis=1)).mean(axis=(0, 2))

    whole, tiled, glued = jumps(256, colour), jumps(96, colour), jumps(256, colour[:, :100], colour[:, 100:])

    assert glued[99] > 1.5 * whole[99], "parts that are only glued have a seam"
    assert (tiled / whole).max() < 1.05


def test_what_nobody_sees_is_not_sent_through_the_network(repeating: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upscalers.SIDES, "cpu", 96)
    colour, shown = picture(300, 200), np.zeros((200, 300), bool)
    shown[150:180, 10:30] = True

    result, reports = enlarged(repeating, colour, shown)

    assert len(reports) == 1, "of 15"
    assert np.array_equal(result[600:720, 40:120], colour[150:180, 10:30].repeat(4, axis=0).repeat(4, axis=1))
    assert result.shape == (800, 1200, 3)
    assert enlarged(repeating, colour, np.zeros((200, 300), bool))[1] == []


def test_out_of_memory_makes_the_tiles_smaller(repeating: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    run, sides = repeating._run, []

    def cramped(part: NDArray[np.uint8]) -> Any:
        sides.append(max(part.shape[:2]))
        if sides[-1] > 100:
            raise torch.OutOfMemoryError("no room")
        return run(part)

    monkeypatch.setattr(repeating, "_run", cramped)
    colour = picture(250, 130)
    result, reports = enlarged(repeating, colour)
    assert np.array_equal(result, colour.repeat(4, axis=0).repeat(4, axis=1))
    assert (sides[0], max(sides[1:])) == (192, 96)
    assert reports[-1][0] == reports[-1][1]

    monkeypatch.setattr(repeating, "_run", lambda _: cramped(np.zeros((500, 500, 3), np.uint8)))
    with pytest.raises(OutOfMemory, match="also in tiles of 96 pixels"):
        enlarged(repeating, colour)


def test_a_result_that_no_memory_holds_is_refused_before_the_work(repeating: Network) -> None:
    with pytest.raises(BadRequest, match=r"8192 x 8192 pixels are too large for a 4x network"):
        enlarged(repeating, np.broadcast_to(np.uint8(0), (8192, 8192, 3)), np.broadcast_to(np.bool_(True), (8192, 8192)))


def test_names_come_from_the_library_and_the_last_network_stays_open(esrgan: Esrgan, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "upscale_models"
    folder.mkdir(parents=True)
    torch.save(esrgan("new"), folder / "4x-One.pth")
    save_file(esrgan("old"), folder / "two.safetensors")
    networks = Upscalers(CPU, Library(tmp_path / "models", tmp_path, tmp_path))

    assert networks.names() == ["4x-One", "two"]
    one = networks.open("4x-One")
    assert networks.open("4x-One") is one
    assert networks.open(str(folder / "two.safetensors")).name == "two"
    assert networks.open("4x-One") is not one
    with pytest.raises(ModelMissing, match="no upscaler 'three'"):
        networks.open("three")


def test_spandrel_is_imported_without_torchvision_and_leaves_no_stand_in() -> None:
    """In a process of its own: the import happens once."""
    script = (
        "import importlib.util, sys\n"
        "from acetate.engine.upscaling import upscalers\n"
        "absent = importlib.util.find_spec('torchvision') is None\n"
        "spandrel = upscalers.import_spandrel()\n"
        "left = [name for name in sys.modules if name.split('.')[0] == 'torchvision']\n"
        "assert not (absent and left), left\n"
        "assert absent == (importlib.util.find_spec('torchvision') is None)\n"
        "assert upscalers.import_spandrel() is spandrel\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=240)


def test_without_spandrel_the_extra_is_named(esrgan: Esrgan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(esrgan(), tmp_path / "net.safetensors")
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(SpandrelMissing) as caught:
        open_network(tmp_path / "net.safetensors", CPU)
    assert "acetate[upscalers]" in caught.value.hint
