from __future__ import annotations

import pytest
import torch
from acetate.engine.sketch import variation


def nothing(count: int) -> torch.Tensor:
    return variation.affine(count, torch.Generator(), turn=0, scale=0, stretch=0, shift=0, mirror=0)


def test_no_variation_changes_nothing() -> None:
    rgba = torch.rand(2, 4, 16, 16)
    assert torch.allclose(variation.warped(rgba, nothing(2), 0, torch.Generator()), rgba, atol=1e-5)


def test_a_certain_mirror_mirrors() -> None:
    rgba = torch.rand(1, 4, 16, 16)
    maps = variation.affine(1, torch.Generator(), turn=0, scale=0, stretch=0, shift=0, mirror=1)
    assert torch.allclose(variation.warped(rgba, maps, 0, torch.Generator()), rgba.flip(3), atol=1e-5)


@pytest.mark.parametrize("bend", [0.02, 0.08])
def test_a_bend_moves_what_is_drawn_and_adds_nothing(bend: float) -> None:
    rgba = torch.zeros(1, 4, 64, 64)
    rgba[..., 16:48, 16:48] = 1
    bent = variation.warped(rgba, nothing(1), bend, torch.Generator().manual_seed(0))
    assert not torch.allclose(bent, rgba, atol=0.2)
    assert 0 <= float(bent.min()) <= float(bent.max()) <= 1.0001
