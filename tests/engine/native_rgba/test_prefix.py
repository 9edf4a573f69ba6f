"""The transformer with its prefix computed once: the numbers of a whole pass, step by step those of diffusers' pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine.native_rgba.prefix import PrefixedTransformer
from acetate.engine.native_rgba.qwen_text import QwenText
from acetate.engine.native_rgba.rgba_vae import RGBAVAECodec
from acetate.engine.sampling.flow_matching import FlowLoop, FlowSchedule
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from .tiny_qwen import TinyQwen

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def text(tiny: TinyQwen) -> QwenText:
    return QwenText(tiny.tokenizer, tiny.image_processor, tiny.text_encoder.model)


def pictures(count: int) -> list[NDArray[np.uint8]]:
    """Opaque, so that they are the same to the codec and to diffusers' pipeline, which keeps hidden colour."""
    found = np.random.default_rng(count).integers(0, 256, (count, 256, 256, 4), dtype=np.uint8)
    found[..., 3] = 255
    return list(found)


def drawn(
    tiny: TinyQwen, text: QwenText, prompt: str, size: tuple[int, int], steps: int, references: Any = (), cached: bool = True
) -> Tensor:
    """Our own loop's latents as `(1, tokens, C)`, from the noise of seed 7."""
    rows, columns = size[1] // 16, size[0] // 16
    encode = RGBAVAECodec(tiny.vae).encode
    run = PrefixedTransformer(
        tiny.transformer, text.encode([prompt], pictures=references), [encode(one) for one in references], CPU, torch.float32
    )
    run.cached = cached
    loop = FlowLoop(FlowSchedule.of(tiny.pipeline.scheduler.config), steps, 1.0, rows * columns, CPU)
    noise = torch.randn(1, 64, rows, columns, generator=torch.Generator().manual_seed(7))
    for _ in loop.run(loop.start(noise, None), lambda sample, sigma, _: run.velocity(sample, sigma)):
        pass
    return loop.latents.flatten(2).transpose(1, 2)


@pytest.mark.parametrize(("size", "steps"), [((128, 128), 4), ((128, 96), 40), ((96, 160), 3)])
def test_latents_are_those_of_diffusers_pipeline(tiny: TinyQwen, text: QwenText, size: tuple[int, int], steps: int) -> None:
    asked = {"num_inference_steps": steps, "width": size[0], "height": size[1], "output_type": "latent"}
    own = tiny.pipeline("a red apple", generator=torch.Generator().manual_seed(7), **asked).images
    assert (drawn(tiny, text, "a red apple", size, steps) - own).abs().max() < 2e-6


@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_references_latents_are_those_of_diffusers_pipeline(tiny: TinyQwen, text: QwenText, count: int) -> None:
    given = pictures(count)
    asked = {"num_inference_steps": 3, "output_resolution": 256, "output_type": "latent"}
    seen = [Image.fromarray(one) for one in given]
    own = tiny.pipeline("make it red", image=seen, generator=torch.Generator().manual_seed(7), **asked).images
    ours = drawn(tiny, text, "make it red", (256, 256), 3, given)
    assert (ours - own).abs().max() < 2e-6
    assert torch.equal(ours, drawn(tiny, text, "make it red", (256, 256), 3, given, cached=False)), "the prefix changes no bit"


def test_a_call_that_failed_leaves_no_half_of_a_prefix(tiny: TinyQwen, text: QwenText, monkeypatch: pytest.MonkeyPatch) -> None:
    run = PrefixedTransformer(tiny.transformer, text.encode(["x"]), [], CPU, torch.float32)
    sample = torch.randn(1, 64, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first = run.velocity(sample, 1.0)
        block = tiny.transformer.transformer_blocks[1]
        with monkeypatch.context() as patch:
            patch.setattr(block, "forward", lambda **_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                run.velocity(sample, 0.5)
        assert torch.equal(run.velocity(sample, 1.0), first)
