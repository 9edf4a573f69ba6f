"""Plans: which fits where, and which comes after a failure."""

from dataclasses import replace

import pytest
from acetate.engine.device.memory_plans import (
    GIB,
    RESERVE,
    MemoryPlan,
    NetworkSizes,
    Workload,
    accelerator_plans,
    after,
    choose,
    host_need,
    host_plans,
    need,
    peak,
)

SDXL = NetworkSizes(158 * 2**20, text=1_640_000_000, unet=5_135_000_000, pixels=375_000_000, largest_layer=26_214_400)
"""performance.md 7: 16-bit weights of the real model."""
PICTURE = Workload(pixels=1024 * 1024, samples=2)
PLANS = accelerator_plans()


def chosen(card: float, host: float = 32, work: Workload = PICTURE) -> MemoryPlan:
    """For a card of so many GiB, of which the desktop takes 0.4 and the reserve stays free."""
    return choose(PLANS, SDXL, work, int((card - 0.4) * GIB) - RESERVE, int(host * GIB))


@pytest.mark.parametrize(("card", "offload"), [(24, "nothing"), (12, "nothing"), (8, "stages"), (6, "layers"), (4, "layers")])
def test_sdxl_at_1024_fits_every_usual_card_exactly(card: int, offload: str) -> None:
    plan = chosen(card)
    assert plan.offload == offload
    assert plan.exact()
    assert peak(plan, SDXL, PICTURE) + RESERVE < card * GIB


def test_decoder_passes_are_batched_by_what_is_free() -> None:
    assert [chosen(card).decoder_batch for card in (24, 12, 10)] == [8, 4, 2]
    large = Workload(pixels=2048 * 2048, samples=2)
    assert chosen(24, work=large).decoder_batch == 4
    assert chosen(16, work=large).decoder_batch < 4


def test_approximations_come_only_where_nothing_exact_fits() -> None:
    assert chosen(3).tiled_vae
    assert not chosen(3).fp8


def test_what_waits_in_host_memory_is_counted() -> None:
    """Copies of what moves, and the originals of what is stored in 8 bit."""
    assert host_need(MemoryPlan(), SDXL) == 0
    assert host_need(MemoryPlan(offload="text"), SDXL) == SDXL.text
    assert host_need(MemoryPlan(offload="stages"), SDXL) == SDXL.text + SDXL.unet + SDXL.pixels
    assert host_need(MemoryPlan(offload="text", fp8=True), SDXL) == SDXL.text + SDXL.unet
    assert chosen(12, host=1).offload == "nothing", "host memory is no matter where nothing moves"


def test_where_nothing_fits_the_smallest_is_tried() -> None:
    assert peak(chosen(1), SDXL, PICTURE) == min(peak(plan, SDXL, PICTURE) for plan in PLANS)


@pytest.mark.parametrize("stage", ["text", "encode", "denoise", "decode"])
def test_the_ladder_goes_down_at_the_stage_that_failed(stage: str) -> None:
    plan, needs = PLANS[0], []
    while plan is not None:
        needs.append(need(plan, stage, SDXL, PICTURE))
        plan = after(PLANS, plan, stage, SDXL, PICTURE)
    assert len(needs) >= 2
    assert needs == sorted(set(needs), reverse=True)


def test_exact_rungs_come_first() -> None:
    plan, order = PLANS[0], []
    while plan is not None:
        order.append(plan)
        plan = after(PLANS, plan, "decode", SDXL, PICTURE)
    assert [(p.offload, p.decoder_batch) for p in order[:2]] == [("nothing", 8), ("nothing", 4)]
    exact = [p.exact() for p in order]
    assert exact == sorted(exact, reverse=True)
    assert order[-1].tiled_vae


def test_guidance_is_split_before_networks_are_moved() -> None:
    rung = after(PLANS, PLANS[0], "denoise", SDXL, PICTURE)
    assert rung is not None
    assert not rung.guidance_together
    assert rung.offload == "nothing"


def test_eight_bit_halves_the_unet() -> None:
    wide = need(MemoryPlan(offload="text"), "denoise", SDXL, PICTURE)
    narrow = need(MemoryPlan(offload="text", fp8=True), "denoise", SDXL, PICTURE)
    assert wide - narrow == SDXL.unet - SDXL.unet // 2 - SDXL.largest_layer


def test_full_precision_takes_twice_the_activations() -> None:
    wide = NetworkSizes(158 * 2**20, 0, 0, 0, 0, unet_element=4, vae_element=4, decoder_element=4)
    half = NetworkSizes(158 * 2**20, 0, 0, 0, 0)
    for stage in ("denoise", "decode"):
        assert need(MemoryPlan(), stage, wide, PICTURE) == 2 * need(MemoryPlan(), stage, half, PICTURE)


def test_a_cpu_moves_nothing_and_decodes_pass_by_pass() -> None:
    assert {plan.offload for plan in host_plans()} == {"nothing"}
    assert {plan.decoder_batch for plan in host_plans()} == {1}


NARROW = NetworkSizes(
    158 * 2**20,
    text=1_640_000_000,
    unet=5_135_000_000,
    pixels=750_000_000,
    largest_layer=26_214_400,
    unet_element=4,
    vae_element=4,
    decoder_element=4,
    narrow=True,
)
"""SDXL on a CPU whose 16-bit weights are widened as their layers run; VAE and decoder are in float32."""


def test_sdxl_in_float32_on_a_cpu_fits_into_8_gib() -> None:
    plan = choose(host_plans(narrow=True), NARROW, PICTURE, 5 * GIB, 2**62)
    assert plan == MemoryPlan(offload="layers")
    assert peak(plan, NARROW, PICTURE) < 4 * GIB
    wide = NetworkSizes(158 * 2**20, 3_280_000_000, 10_270_000_000, 750_000_000, 52_428_800, 4, False, 4, 4)
    assert peak(host_plans()[0], wide, PICTURE) > 13 * GIB


def test_a_layer_that_is_widened_is_counted_wide_and_with_a_change_of_it() -> None:
    plan = host_plans(narrow=True)[0]
    plain = replace(NARROW, narrow=False)
    assert need(plan, "denoise", NARROW, PICTURE) - need(plan, "denoise", plain, PICTURE) == 2 * 2 * NARROW.largest_layer
    assert need(plan, "decode", NARROW, PICTURE) == need(plan, "decode", plain, PICTURE)
