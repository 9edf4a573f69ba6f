"""A card whose half precision gives no numbers draws in float32 instead, and is remembered: with a card that is made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine import Engine, NumericFailure, Picture, Progress, Request
from acetate.engine.device.dtypes import Dtypes
from acetate.engine.models import runtime
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

HALF, FULL = torch.bfloat16, torch.float32
NARROW, WIDE = Dtypes(HALF, FULL, FULL), Dtypes(FULL, FULL, FULL)


class Card:
    """Overflows in the types that are named."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.fails_in: tuple[torch.dtype, ...] = (HALF,)
        self.calls: list[torch.dtype] = []
        plain = UNet2DConditionModel.forward

        def forward(unet: Any, sample: torch.Tensor, *given: Any, **named: Any) -> Any:
            self.calls.append(sample.dtype)
            output = plain(unet, sample, *given, **named)
            return (torch.full_like(output[0], torch.nan),) if sample.dtype in self.fails_in else output

        patch.setattr(UNet2DConditionModel, "forward", forward)
        patch.setattr(runtime, "dtypes", lambda device, asked="auto": WIDE if asked == "float32" else NARROW)
        patch.setattr("acetate.engine.engine.card_name", lambda device: "A Card")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    return Card(monkeypatch)


def drawn(engine: Engine, count: int = 1) -> list[Picture]:
    request = Request(prompt="a red apple", model="tiny", steps=1, alpha_passes=1, count=count)
    return [event for event in engine.run(request) if isinstance(event, Picture)]


def said(pictures: list[Picture]) -> list[bool]:
    return [any("A Card gives no numbers in half precision" in warning for warning in one.warnings) for one in pictures]


def test_it_draws_in_float32_and_says_so_once(engine_for: Callable[..., Engine], card: Card) -> None:
    engine = engine_for("sdxl")
    first = drawn(engine, count=2)
    assert said(first) == [True, False]
    assert card.calls[0] == HALF and set(card.calls[1:]) == {FULL}
    assert first[0].parameters["dtype"] == "float32"
    assert said(drawn(engine)) == [False] and card.calls.count(HALF) == 1


def test_the_card_is_known_the_next_time(engine_for: Callable[..., Engine], card: Card) -> None:
    drawn(engine_for("sdxl"))
    card.calls.clear()
    assert said(drawn(engine_for("sdxl"))) == [False]
    assert set(card.calls) == {FULL}


def test_a_model_without_numbers_in_any_type_is_not_the_cards_fault(
    engine_for: Callable[..., Engine], card: Card, tmp_path: Path
) -> None:
    card.fails_in = (HALF, FULL)
    engine = engine_for("sdxl")
    with pytest.raises(NumericFailure, match="NaN"):
        drawn(engine)
    assert not (tmp_path / "settings" / "cards.json").exists()
    card.fails_in = ()
    card.calls.clear()
    assert len(drawn(engine)) == 1 and set(card.calls) == {HALF}


def test_what_is_cancelled_on_the_way_says_nothing_of_the_card(engine_for: Callable[..., Engine], card: Card) -> None:
    engine = engine_for("sdxl")
    events = engine.run(Request(prompt="a red apple", model="tiny", steps=1, alpha_passes=1))
    while FULL not in card.calls:
        assert isinstance(next(events), Progress)
    events.close()
    card.calls.clear()
    drawn(engine)
    assert card.calls[0] == HALF


def test_a_type_that_was_asked_for_is_kept_to(engine_for: Callable[..., Engine], card: Card) -> None:
    engine = engine_for("sdxl", dtype="bfloat16")
    with pytest.raises(NumericFailure) as failed:
        drawn(engine)
    assert "--dtype float32" in failed.value.hint
    assert set(card.calls) == {HALF}
