"""Base models of real size, once: opened from a single file, patched, and run. Needs minutes and gigabytes.

The files are holes of the right shapes with one small number in each tensor: every network says almost zero, at the price of a
real one.
"""

from __future__ import annotations

import re
import resource
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine import Engine, Progress, Request
from acetate.engine.device.dtypes import Dtypes
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.files import catalogue
from acetate.engine.files.headers import read_header
from acetate.engine.files.library import Library
from acetate.engine.files.structures import packaged_configs
from acetate.engine.models import base_models
from acetate.engine.models.components import empty_text_encoder, empty_unet, empty_vae

Shapes = dict[str, tuple[int, ...]]

pytestmark = pytest.mark.full


def checkpoint(tiny: Any) -> Shapes:
    """Names and shapes of a real checkpoint: the tiny model's names for networks that are only described."""
    configs = packaged_configs(tiny.family)
    tiny.unet, tiny.vae = empty_unet(configs), empty_vae(configs)
    names = ("text_encoder", "text_encoder_2")[: len(tiny.text_encoders)]
    tiny.text_encoders = [empty_text_encoder(configs, name) for name in names]
    return {key: tuple(tensor.shape) for key, tensor in tiny.ldm_tensors().items()}


def listed(path: Path, wanted: str) -> Shapes:
    """Keys and shapes of one of the lists of published keys."""
    rows = re.findall(r"^(\S+)\t\(([\d, ]+)\)$", path.read_text(), re.MULTILINE)
    return {key: tuple(map(int, re.findall(r"\d+", shape))) for key, shape in rows if re.search(wanted, key)}


def attention(golden: Path, family: str) -> Shapes:
    """`transparent-attention` of a family, with the published keys and ranks."""
    if family == "sd15":
        return listed(golden / "keys" / "sd15_attention_sharing_keys.txt", r"^hookers.*(_lora\.0\.|\.temporal_)")
    shapes: Shapes = {}
    for line in (golden / "keys" / "sdxl_unet_ldm_to_diffusers.tsv").read_text().splitlines():
        ldm, _, shape = line.split("\t")
        if re.search(r"attn[12]\.to_(q|k|v|out\.0)\.weight", ldm):
            outputs, inputs = map(int, re.findall(r"\d+", shape))
            key = f"diffusion_model.{ldm}::lora::"
            shapes |= {f"{key}0": (outputs, 256), f"{key}1": (256, inputs)}
    return shapes


def pricked(path: Path) -> None:
    """Put a number into every tensor, as nothing but zeros would be refused."""
    header = read_header(path)
    with path.open("r+b") as file:
        for entry in header.tensors.values():
            start, end = entry["data_offsets"]
            for third in range(3):  # queries, keys and values may be one tensor
                file.seek(header.data_begins + start + (end - start) // 6 * 2 * third)
                file.write(struct.pack("<e", 1e-3))


@pytest.fixture(params=["sd15", "sdxl"])
def library(request: pytest.FixtureRequest, tmp_path: Path, golden: Path, write_sparse: Callable[..., Path]) -> Library:
    family = request.param
    layers = tmp_path / "models" / "layer_model"
    layers.mkdir(parents=True)
    (tmp_path / "models" / "checkpoints").mkdir()
    tiny = type(request.getfixturevalue(f"tiny_{family}"))(family)
    pricked(write_sparse(tmp_path / "models" / "checkpoints" / f"{family}.safetensors", checkpoint(tiny)))
    keys = golden / "keys" / "transparent_decoder_keys.txt"
    for role, shapes in (("transparent-attention", attention(golden, family)), ("transparent-decoder", listed(keys, ""))):
        write_sparse(layers / catalogue.candidates(family, role)[0].file, shapes)
    return Library(tmp_path / "models", tmp_path / "settings", tmp_path / "cache")


def stages(engine: Engine, name: str) -> Iterator[str]:
    """What has been done: the model opened, then every event of a job."""
    engine.open(name)
    yield "open"
    for event in engine.run(Request(prompt="a bottle", model=name, width=512, height=512, steps=2, alpha_passes=1)):
        if isinstance(event, Progress):
            yield f"{event.stage} {event.step} of {event.steps}"
        else:
            assert event.rgba.shape == (512, 512, 4)
            yield event.role


def measured(stages: Iterator[str]) -> Iterator[str]:
    """With seconds by the clock and of the processor, which a loaded machine lengthens less, and the most memory so far."""
    before = time.perf_counter(), time.process_time()
    for stage in stages:
        now, peak = (time.perf_counter(), time.process_time()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        yield f"{stage:16} {now[0] - before[0]:7.1f} s {now[1] - before[1]:7.1f} s of CPU {peak:5.1f} GiB"
        before = now


def test_two_steps_at_512(library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In bfloat16 on the CPU; the first denoising step includes patching. Run with `-m full -s` for the figures."""
    (one,) = library.installed("checkpoint")
    monkeypatch.setattr(base_models, "dtypes", lambda device: Dtypes(torch.bfloat16, torch.bfloat16, torch.float32))
    monkeypatch.setitem(vars(BASE_FAMILIES["sdxl"]), "native", 512)  # smaller canvases are enlarged to what the model knows
    engine = Engine("cpu", library)
    with capsys.disabled():
        print(f"\n{one.name}: {one.path.stat().st_size / 1e9:.2f} GB, {torch.get_num_threads()} threads")
        for line in measured(stages(engine, one.name)):
            print(f"  {line}", flush=True)
    unet: Any = engine.open(one.name).unet
    assert sum(parameter.numel() for parameter in unet.parameters()) >= 859_520_964


def peak() -> float:
    """GiB of memory that this process has held at most since `forget_peak`, pages of mapped files included."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 2**20


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's own figures")
@pytest.mark.parametrize("side", [512, 1024])
@pytest.mark.parametrize("library", ["sdxl"], indirect=True)
def test_sdxl_in_float32_on_a_cpu_takes_at_most_8_gib(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], side: int
) -> None:
    """One step with guidance, with weights that stay in 16 bit; the peak of each stage by the kernel's count."""
    monkeypatch.setattr(base_models, "stays_narrow", lambda size, runtime: True)
    monkeypatch.setitem(vars(BASE_FAMILIES["sdxl"]), "native", side)
    engine, most, stage = Engine("cpu", library, "eager"), 0.0, "text"
    forget_peak()
    before = time.perf_counter(), time.process_time()
    for event in engine.run(Request(prompt="a bottle", model="sdxl", width=side, height=side, steps=1, alpha_passes=1)):
        stage = event.stage if isinstance(event, Progress) else "finish"
        now, most = (time.perf_counter(), time.process_time()), max(most, peak())
        with capsys.disabled():
            print(
                f"\n  {stage:8} {now[0] - before[0]:7.1f} s {now[1] - before[1]:7.1f} s of CPU, peak {peak():5.2f} GiB",
                end="",
                flush=True,
            )
        before = now
        forget_peak()
    assert stage == "finish" and most <= 8
