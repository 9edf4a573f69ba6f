"""What is said of memory before Qwen-Image-2.1 runs, against counts made on its operators (qwen-image.md 1.2, 1.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from acetate.engine.device.memory_plans import (
    GIB,
    RESERVE,
    MemoryPlan,
    NetworkSizes,
    Stage,
    Workload,
    accelerator_plans,
    choose,
    need,
    peak,
)
from acetate.engine.families.qwen21 import QWEN21
from acetate.engine.native_rgba.references import References, area_shown
from acetate.engine.native_rgba.rgba_vae import RGBAVAECodec

MEGAPIXEL = 2**20
PIXEL_WORK = RGBAVAECodec.pixel_work
REAL = NetworkSizes(
    unet_activations=QWEN21.unet_activations,
    text=2 * (8_767_123_696 - 622_329_856),
    unet=2 * 7_115_124_736,
    pixels=2 * 337_740_404,
    largest_layer=2 * 218_104_064,
    pixel_work=PIXEL_WORK,
    kept=QWEN21.kept,
)
"""The published weights in 16 bit, the text encoder without its head."""
WHOLE, IN_STRIPS = MemoryPlan(offload="stages"), MemoryPlan(offload="stages", tiled_vae=True)
BARE = replace(REAL, text=0, unet=0, pixels=0, largest_layer=0)


@pytest.mark.parametrize(
    ("plan", "stage", "side", "counted"),
    [
        (WHOLE, "decode", 1024, 3.66),
        (WHOLE, "decode", 2048, 14.6),
        (WHOLE, "encode", 1024, 1.51),
        (WHOLE, "encode", 2048, 6.05),
        (IN_STRIPS, "decode", 1024, 0.94),
        (IN_STRIPS, "decode", 2048, 3.10),
        (IN_STRIPS, "encode", 2048, 2.42),
        (WHOLE, "denoise", 1024, 0.52),
        (WHOLE, "denoise", 2048, 2.02),
    ],
)
def test_activations_are_predicted_from_the_counts(plan: MemoryPlan, stage: Stage, side: int, counted: float) -> None:
    said = need(plan, stage, BARE, Workload(side * side, samples=1)) / GIB
    assert counted * 0.99 < said < counted * 1.25


def test_a_reference_of_a_megapixel_keeps_two_gibibytes() -> None:
    alone, edit = (need(WHOLE, "denoise", BARE, Workload(MEGAPIXEL, 1, shown)) for shown in (0, MEGAPIXEL))
    assert edit - alone == 2 * GIB + QWEN21.unet_activations, "and is read once, with the picture"
    guided = Workload(MEGAPIXEL, 2, MEGAPIXEL)
    apart = replace(WHOLE, guidance_together=False)
    assert need(apart, "denoise", BARE, guided) - edit == 2 * GIB, "each half of guidance keeps its own"


@pytest.mark.parametrize(("card", "offload"), [(48, "nothing"), (24, "stages")])
def test_an_edit_of_a_megapixel_fits_large_cards_exactly(card: int, offload: str) -> None:
    plans, work = accelerator_plans(PIXEL_WORK), Workload(MEGAPIXEL, 1, MEGAPIXEL)
    plan = choose(plans, REAL, work, int((card - 0.4) * GIB) - RESERVE, 64 * GIB)
    assert plan.offload == offload
    assert plan.exact(PIXEL_WORK)
    assert peak(plan, REAL, work) + RESERVE < card * GIB


def test_strips_are_tried_before_a_network_is_moved() -> None:
    plans = accelerator_plans(PIXEL_WORK)
    assert plans[1].tiled_vae
    assert plans[1].offload == "nothing"
    assert plans[1].exact(PIXEL_WORK)
    assert not plans[1].exact(), "tiles of another autoencoder are not"
    assert len(set(plans)) == len(plans)


class Measuring:
    """A codec that encodes nothing."""

    def encode(self, _: Any) -> Any:
        return None


@pytest.mark.parametrize("others", [(), ((20, 20),), ((3000, 40), (1400, 1900))])
def test_what_is_shown_is_known_before_it_is_brought_to_size(others: tuple[tuple[int, int], ...]) -> None:
    working, *pictures = (np.zeros((height, width, 4), np.uint8) for width, height in ((96, 64), *others))
    shown = References.of(Measuring(), working, pictures).pictures  # type: ignore[arg-type]
    assert area_shown(working, pictures) == sum(one.shape[0] * one.shape[1] for one in shown)
