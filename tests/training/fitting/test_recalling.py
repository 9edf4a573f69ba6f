from __future__ import annotations

import numpy as np
import pytest
import torch

from training.fitting import recalling


@pytest.fixture
def shown() -> recalling.Shown:
    pictures = np.zeros((3, 64, 64, 4), np.uint8)
    pictures[:, 12:52, 12:52] = (200, 60, 30, 255)
    return recalling.Shown(pictures, ["square", "tile", "box"])


def test_a_step_shows_the_same_whenever_it_is_run(shown: recalling.Shown) -> None:
    first, again, other = shown.batch(6, 4), shown.batch(6, 4), shown.batch(6, 5)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert first[2] == again[2]
    assert not torch.equal(first[0], other[0])


def test_what_is_drawn_is_near_its_reference_and_never_beyond_its_alpha(shown: recalling.Shown) -> None:
    reference, drawn, _ = shown.batch(16, 0)
    alike = ((reference[:, 3] > 0.3) & (drawn[:, 3] > 0.3)).sum() / ((reference[:, 3] > 0.3) | (drawn[:, 3] > 0.3)).sum()
    assert 0.8 < float(alike) < 0.999
    assert bool((drawn[:, :3] <= drawn[:, 3:] + 0.02).all())


def test_a_perfect_guess_has_no_loss() -> None:
    clean, reference = torch.randn(4, 8, 4, 4), torch.zeros(4, 8, 4, 4)

    class Perfect:
        def __call__(self, *_: object) -> Perfect:
            self.sample = clean
            return self

    levels = torch.linspace(0.99, 0.01, 1000)
    loss = recalling.loss_of(Perfect(), clean, reference, torch.zeros(4, 1, 8), levels, torch.Generator().manual_seed(0))
    assert float(loss) == 0
