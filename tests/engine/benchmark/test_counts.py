"""Counted work against performance.md 7."""

from __future__ import annotations

import pytest
import torch
from acetate.engine.benchmark.counts import count
from acetate.engine.files.structures import packaged_configs
from acetate.engine.layerdiffuse.transparency import TransparentDecoder
from acetate.engine.models.components import empty_unet
from torch import nn


def test_a_linear_layer_is_counted_exactly() -> None:
    layer = nn.Linear(8, 4, bias=False)
    (operation,) = count(layer, layer, torch.empty(2, 8))
    assert operation.flop == 2 * 2 * 8 * 4
    assert operation.bytes == 4 * (2 * 8 + 8 * 4 + 2 * 4)


def test_sdxls_unet_takes_6_76_tflop_at_1024() -> None:
    """And 23.5 GB in 16 bit."""
    unet = empty_unet(packaged_configs("sdxl")).to(torch.float16)
    sample, embeds = torch.empty(1, 4, 128, 128, device="meta"), torch.empty(1, 77, 2048, device="meta")
    added = {"text_embeds": torch.empty(1, 1280, device="meta").half(), "time_ids": torch.empty(1, 6, device="meta").half()}
    timestep = torch.zeros((), device="meta")
    operations = count(
        unet, lambda x, c: unet(x, timestep, c, added_cond_kwargs=added, return_dict=False), sample.half(), embeds.half()
    )
    assert sum(one.flop for one in operations) / 1e12 == pytest.approx(6.76, rel=0.01)
    assert sum(one.bytes for one in operations) / 1e9 == pytest.approx(23.5, rel=0.05)


def test_one_decoder_pass_takes_0_857_tflop_at_1024() -> None:
    with torch.device("meta"):
        decoder = TransparentDecoder()
        operations = count(decoder, decoder, torch.empty(1, 3, 1024, 1024), torch.empty(1, 4, 128, 128))
    assert sum(one.flop for one in operations) / 1e12 == pytest.approx(0.857, rel=0.01)
