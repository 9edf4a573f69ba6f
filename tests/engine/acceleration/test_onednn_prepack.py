"""Weights lie as oneDNN wants them before a call, and the call's bits stay what they were."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from acetate.engine.acceleration import onednn_prepack
from acetate.engine.acceleration.graph_replay import TracedNetwork
from diffusers import UNet2DConditionModel
from torch import Tensor

PACKED, PLAIN = "mkldnn._convolution_pointwise.default", "aten.convolution.default"

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")


@pytest.fixture
def unet(narrow_unet: UNet2DConditionModel) -> UNet2DConditionModel:
    return narrow_unet.to(memory_format=torch.channels_last)


class Played:
    """Calls of a network through a `TracedNetwork`, beside the network itself."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self.replay, self._unet = TracedNetwork(unet), unet

    def call(self, *inputs: Tensor) -> Tensor:
        result: Tensor = self._unet(*inputs, return_dict=False)[0]
        return result

    @torch.no_grad()
    def replayed(self, inputs: list[Tensor]) -> Tensor:
        """The call, played once it is recorded."""
        return self.replay.run(inputs, self.call, constant=1)

    @torch.no_grad()
    def same(self, seed: int, samples: int = 2, side: int = 16) -> bool:
        """Whether both are equal to the bit."""
        inputs = _inputs(seed, samples, side)
        return torch.equal(self.replayed(inputs), self.call(*inputs))

    def operators(self) -> list[str]:
        """Of the latest recording: what runs at every call."""
        *_, recording = self.replay._recorded.values()
        assert recording is not None
        return [str(node.target) for node in recording.graph.nodes if node.op == "call_function"]


def _inputs(seed: int, samples: int, side: int = 16) -> list[Tensor]:
    """Latents, a timestep and prompt_embeds."""
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(samples, 4, side, side, generator=generator).contiguous(memory_format=torch.channels_last)
    return [sample, torch.tensor(900.0 - seed), torch.randn(samples, 7, 24, generator=generator)]


def test_packed_convolutions_give_the_calls_bits_and_nothing_is_packed_in_a_call(unet: UNet2DConditionModel) -> None:
    played = Played(unet)
    assert all(played.same(seed) for seed in (1, 2, 3))
    wide = sum(isinstance(module, torch.nn.Conv2d) and min(module.kernel_size) >= 3 for module in unet.modules())
    assert played.operators().count(PACKED) == wide > 10
    assert not any("_reorder" in name for name in played.operators())


def test_no_packed_weight_is_laid_out_anew_in_a_call(unet: UNet2DConditionModel, capfd: pytest.CaptureFixture[str]) -> None:
    """For any number of pictures, on every kind of CPU."""
    for samples in (2, 3):
        played, inputs = Played(unet), _inputs(1, samples)
        for _ in range(2):
            played.replayed(inputs)
        with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
            played.replayed(inputs)
        said = [line for line in capfd.readouterr().out.splitlines() if ",exec," in line]
        assert any(",convolution," in line for line in said)
        assert not [line for line in said if ",reorder," in line and "x3x3," in line]


def test_other_weights_are_seen_once_it_is_told(unet: UNet2DConditionModel) -> None:
    played = Played(unet)
    assert played.same(1) and played.same(2)
    for parameter in unet.parameters():
        parameter.data.mul_(0.9)
    played.replay.forget()
    assert played.same(1)


@pytest.mark.parametrize("samples", [1, 2])
def test_what_torch_convolves_otherwise_stays_as_it_is(unet: UNet2DConditionModel, samples: int) -> None:
    """One small picture does not go to oneDNN, so the bits of packed weights would be others."""
    played = Played(unet)
    assert played.same(1, samples) and played.same(2, samples)
    assert (PACKED in played.operators()) == (samples > 1)


@pytest.mark.parametrize("change", ["layout", "width", "library"])
def test_other_layouts_wide_networks_and_other_libraries_stay_as_they_are(
    unet: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    if change == "layout":
        unet.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    elif change == "width":
        monkeypatch.setattr(onednn_prepack, "MOST", 1000)
    else:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    played: Any = Played(unet)
    assert played.same(1) and played.same(2)
    assert PACKED not in played.operators() and PLAIN in played.operators()
