"""Synthetic weights, tiny networks of the two families' real block structure, and folders with every LayerDiffuse file for them.

Each fixture imports what it needs: the tests of `values`, `pixels` and `files` run without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from acetate.engine import Engine
    from acetate.vocabulary.engine_options import Acceleration, Dtype
    from diffusers import UNet2DConditionModel
    from torch import Tensor

    from .tiny_models import TinyModel

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of reference outputs."""
    return GOLDEN


@pytest.fixture(scope="session", params=["sd15", "sdxl"])
def tiny(request: pytest.FixtureRequest) -> TinyModel:
    """A tiny model of each family in turn; do not change its weights."""
    from .tiny_models import TinyModel

    return TinyModel(request.param)


@pytest.fixture(scope="session")
def tiny_sd15() -> TinyModel:
    from .tiny_models import TinyModel

    return TinyModel("sd15")


@pytest.fixture(scope="session")
def tiny_sdxl() -> TinyModel:
    from .tiny_models import TinyModel

    return TinyModel("sdxl")


@pytest.fixture
def narrow_unet() -> UNet2DConditionModel:
    """Two widths of transformer blocks, `(B, 4, h, w)` and prompts `(B, tokens, 24)`; a step takes milliseconds."""
    from . import synthetic

    return synthetic.narrow_unet()


@pytest.fixture
def sd15_unet() -> UNet2DConditionModel:
    """SD 1.5's blocks and keys at a twentieth of its width, with four heads."""
    from . import synthetic

    return synthetic.sd15_unet()


@pytest.fixture
def sdxl_unet() -> UNet2DConditionModel:
    """SDXL's blocks, transformer depths and keys at a fortieth of its width."""
    from . import synthetic

    return synthetic.sdxl_unet()


@pytest.fixture(scope="session")
def fill() -> Callable[[Mapping[str, tuple[int, ...]]], dict[str, Tensor]]:
    """Make the reference's synthetic weights for shapes by key (layerdiffuse.md 10.1)."""
    from . import synthetic

    return synthetic.fill


@pytest.fixture(scope="session")
def units() -> Callable[..., dict[str, tuple[int, ...]]]:
    """Make the shapes by key of an attention-sharing file for a UNet (layerdiffuse.md 4.2)."""
    from . import synthetic

    return synthetic.unit_shapes


@pytest.fixture(scope="session")
def esrgan() -> Callable[..., dict[str, Tensor]]:
    """Make an ESRGAN's state dict in one of its three published key layouts, by default one that repeats every pixel exactly."""
    from . import synthetic

    return synthetic.esrgan


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, tiny_sd15: TinyModel, tiny_sdxl: TinyModel) -> dict[str, Path]:
    from . import synthetic

    folders = {}
    for tiny in (tiny_sd15, tiny_sdxl):
        folders[tiny.family] = tmp_path_factory.mktemp(tiny.family)
        synthetic.write_models(folders[tiny.family], tiny)
        tiny.write_configs(folders[tiny.family] / "configs")
    return folders


@pytest.fixture
def engine_for(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Engine]:
    """Make an engine of one's own with a family's tiny model, by default without recordings: they cost more than they save."""
    _native(models, monkeypatch)

    def make(family: str, acceleration: Acceleration = "eager", dtype: Dtype = "auto") -> Engine:
        return _engine(models[family], tmp_path, acceleration, dtype)

    return make


@pytest.fixture(scope="session")
def opened() -> dict[str, Engine]:
    """Engines that several tests use, by family."""
    return {}


@pytest.fixture
def shared_for(
    models: dict[str, Path], opened: dict[str, Engine], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Engine]:
    """The engine of a family for tests that only run requests on it: its model is opened once for all of them."""
    _native(models, monkeypatch)

    def get(family: str) -> Engine:
        if family not in opened:
            opened[family] = _engine(models[family], tmp_path_factory.mktemp("shared"), "eager")
        return opened[family]

    return get


def _native(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The families' own sizes and configurations are the tiny models'."""
    from acetate.engine.families import BASE_FAMILIES
    from acetate.engine.files import structures
    from acetate.engine.models import checkpoints

    for family in BASE_FAMILIES.values():
        monkeypatch.setitem(vars(family), "native", 64)
    for module in (checkpoints, structures):
        monkeypatch.setattr(module, "packaged_configs", lambda family: models[family] / "configs")


def _engine(folder: Path, own: Path, acceleration: Acceleration, dtype: Dtype = "auto") -> Engine:
    from acetate.engine import Engine
    from acetate.engine.files.library import Library

    return Engine("cpu", Library(folder, own / "settings", own / "cache"), acceleration, dtype)


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    rgba = np.random.default_rng(0).integers(0, 256, (64, 64, 4)).astype(np.uint8)
    rgba[:20, :, 3] = 0
    return rgba
