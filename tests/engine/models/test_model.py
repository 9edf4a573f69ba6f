"""A model is put together by its constructor, with one accelerator and one memory budget for all its networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, builtin
from acetate.engine.device.accelerator import EAGER
from acetate.engine.models.builtin_model import open_builtin
from acetate.engine.models.runtime import Runtime
from torch import Tensor

CPU = torch.device("cpu")


class Others:
    def bytes_on_device(self) -> int:
        return 0

    def leave(self, wanted: int) -> int:
        return 0


def test_all_parts_share_one_budget_and_one_accelerator() -> None:
    others = Others()
    model = open_builtin(builtin.FOLDER, "built in", Runtime(CPU, "eager", others=others))
    codec: Any = model.codec
    assert model.memory.others is others
    assert model.memory.placement.accelerator is model.accelerator is codec._accelerator is EAGER
    assert codec.memory is model.memory


@pytest.mark.parametrize(("columns", "expected"), [(4, [255, 0, 0, 128]), (3, [255, 128, 128, 255])])
def test_a_preview_is_a_product_with_the_models_matrix(untrained: Engine, columns: int, expected: list[int]) -> None:
    """Four columns give premultiplied RGBA; three give colour over grey, whose distance from grey stands for alpha."""
    model = untrained.open("sketchpad")
    clean = torch.zeros(1, model.codec.latent_channels, 2, 3)
    matrix: Tensor = torch.zeros(model.codec.latent_channels + 1, columns)
    matrix[-1] = torch.tensor([0.5, 0.0, 0.0, 0.5] if columns == 4 else [1.0, 0.5, 0.5])
    model.preview_matrix = matrix
    assert np.abs(model.preview(clean).astype(int) - expected).max() <= 1
    assert model.preview(clean).shape == (2, 3, 4)
