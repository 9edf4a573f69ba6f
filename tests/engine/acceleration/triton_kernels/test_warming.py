"""What is compiled ahead is all that the published networks then need; seen by compiling for a card that is not there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn

triton = pytest.importorskip("triton", reason="Triton is made for Linux")

from acetate.engine.acceleration import fused_operators  # noqa: E402
from acetate.engine.acceleration.fusion import fuse  # noqa: E402
from acetate.engine.acceleration.graph_replay import Tracer  # noqa: E402
from acetate.engine.acceleration.triton_kernels import convolutions, group_norm, transformers, warming  # noqa: E402
from acetate.engine.device.dtypes import Dtypes  # noqa: E402
from acetate.engine.files.structures import packaged_configs  # noqa: E402
from acetate.engine.layerdiffuse.transparency import TransparentDecoder  # noqa: E402
from acetate.engine.layerdiffuse.upsample_conv import double_in  # noqa: E402
from acetate.engine.models.components import empty_unet, empty_vae  # noqa: E402
from triton.backends.compiler import GPUTarget  # noqa: E402

LAST = torch.channels_last
HALF, BRAIN, FULL = torch.float16, torch.bfloat16, torch.float32


class NoCard:
    """Triton's driver as far as compiling asks it."""

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)


@pytest.fixture(autouse=True)
def _no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(fused_operators, "has_kernels", lambda x: True)
    monkeypatch.setattr(triton.runtime.driver, "_active", NoCard())  # its own way back asks for a card


def compiled() -> int:
    """Kernels that this process has at hand."""
    kernels = [one for module in (group_norm, convolutions, transformers) for one in vars(module).values()]
    return sum(len(caches[0]) for kernel in kernels for caches in getattr(kernel, "device_caches", {}).values())


def blank(*shape: int, dtype: torch.dtype = HALF) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def picture(*shape: int, dtype: torch.dtype = HALF) -> Tensor:
    return blank(*shape, dtype=dtype).contiguous(memory_format=LAST)


def on_meta(network: nn.Module, dtype: torch.dtype) -> Any:
    return nn.Module.to(network, dtype).eval().requires_grad_(False).to(memory_format=LAST)  # type: ignore[call-overload]


def run(network: nn.Module, call: Callable[..., Tensor], *inputs: Tensor) -> None:
    """The network with joined kernels, which compile instead of running."""
    with torch.no_grad(), Tracer(network, inputs) as recorder:
        result = call(*inputs)
    recording = recorder.finish(result)
    assert recording is not None
    joined = fuse(recording.graph, plentiful=True)
    assert joined is not None
    with torch.no_grad():
        fx.GraphModule(recording.tensors, joined)(*inputs)


def run_unet(family: Any, side: int) -> None:
    unet = on_meta(empty_unet(packaged_configs(family)), HALF)
    added = {"text_embeds": blank(2, 1280), "time_ids": blank(2, 6)} if family == "sdxl" else {}

    def call(sample: Tensor, timestep: Tensor, text: Tensor, *parts: Tensor) -> Tensor:
        named = dict(zip(added, parts, strict=True))
        result: Tensor = unet(sample, timestep, text, added_cond_kwargs=named, return_dict=False)[0]
        return result

    text = blank(2, 77, unet.config.cross_attention_dim)
    run(unet, call, picture(2, 4, side // 8, side // 8), blank(dtype=torch.float32), text, *added.values())


def run_vae(family: Any, dtype: torch.dtype) -> None:
    vae = on_meta(empty_vae(packaged_configs(family)), dtype)
    double_in(vae)
    run(vae, lambda latents: vae.decode(latents, return_dict=False)[0], picture(1, 4, 64, 64, dtype=dtype))


def run_decoder() -> None:
    with torch.device("meta"):
        decoder = TransparentDecoder()
    decoder = on_meta(decoder, HALF)
    run(decoder, decoder, picture(8, 3, 512, 512), picture(8, 4, 64, 64))


def test_the_published_networks_find_their_kernels_compiled() -> None:
    before = compiled()
    warming.compile_all([HALF, BRAIN, FULL])
    ahead = compiled()
    assert ahead > before
    run_unet("sdxl", 1024)
    run_unet("sd15", 512)
    run_vae("sdxl", BRAIN)
    run_vae("sd15", BRAIN)
    run_vae("sd15", FULL)
    run_decoder()
    assert compiled() == ahead


def test_an_engine_begins_to_compile_for_its_card_and_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    kinds = Dtypes(HALF, BRAIN, HALF)
    monkeypatch.setattr(warming, "in_background", lambda *given: begun.append(given))
    fused_operators.compile_ahead(torch.device("cuda"), kinds)
    assert begun == [(torch.device("cuda"), (HALF, BRAIN, HALF))]
    for kind in ("cpu", "mps", "xpu"):
        fused_operators.compile_ahead(torch.device(kind), kinds)
    assert len(begun) == 1


def test_a_compiler_that_fails_in_the_background_is_not_heard_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(types: object) -> None:
        raise OSError("no C compiler")

    monkeypatch.setattr(warming, "compile_all", fail)
    monkeypatch.setattr(torch.cuda, "device", lambda device: threading.Lock())
    with caplog.at_level("INFO"):
        warming.in_background(torch.device("cuda"), [HALF]).join()
    assert "not compiled ahead: no C compiler" in caplog.text
