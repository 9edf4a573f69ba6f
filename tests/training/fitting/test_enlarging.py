from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.fitting import enlarging


def test_training_learns_from_matching_squares_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    large = np.zeros((2, 64, 64, 4), np.uint8)
    large[1, 16:48, 16:48] = 255
    small = torch.from_numpy(large[1:, ::4, ::4]).permute(0, 3, 1, 2).contiguous()
    seen = np.array([1])
    enlarging.train(small, large, seen, tmp_path, 2, batch=2, side=12)
    network = enlarging.train(small, large, seen, tmp_path, 4, batch=2, side=12)
    assert torch.load(tmp_path / "enlarging.pt", weights_only=True)["done"] == 4
    assert network(torch.zeros(1, 4, 8, 8)).shape == (1, 4, 32, 32)
