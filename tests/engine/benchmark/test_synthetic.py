"""Models of random weights, to be timed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from acetate.engine.benchmark.subject import Subject


@pytest.mark.parametrize("tiny", ["sd15"], indirect=True)
def test_synthetic_weights_keep_activations_alive(subject: Subject) -> None:
    """Neither dead nor exploding: kernels on zeros or infinities may take another time."""
    with torch.no_grad():
        spread = float(subject.pixels.std())
    assert 1e-3 < spread < 1
    assert np.isfinite(spread)
