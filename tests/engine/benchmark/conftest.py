"""A synthetic model of narrow networks, and what the benchmark's contestants work on."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from acetate.engine.benchmark import synthetic
from acetate.engine.benchmark.subject import Subject
from acetate.engine.layerdiffuse.transparency import TransparentDecoder, TransparentEncoder
from acetate.engine.models.model import Model
from acetate.engine.models.runtime import Runtime
from acetate.engine.pixels.working_canvas import WorkingSizes


@pytest.fixture(scope="module")
def model(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A synthetic model of narrow networks, of each family in turn."""
    configs = tiny.write_configs(tmp_path_factory.mktemp("configs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "TransparentDecoder", partial(TransparentDecoder, 4, (8, 8, 8, 16), 1))
        patch.setattr(synthetic, "TransparentEncoder", partial(TransparentEncoder, 4, (4, 4, 4, 8)))
        made = synthetic.synthetic_model(tiny.family, Runtime(torch.device("cpu")), configs)
    made.sizes = WorkingSizes(64, multiple_of=64)
    return made


@pytest.fixture
def subject(model: Model) -> Subject:
    return Subject(model, 64, 64, steps=3, guidance_scale=5.0, passes=8)
