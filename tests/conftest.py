"""What tests of several packages share, and the quick ring: `--quick` runs what needs neither torch nor an editor nor a server.

Nothing here or in a conftest below imports torch before a fixture is asked for that needs it.
"""

from __future__ import annotations

import json
import math
import os
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from acetate.engine import Engine

HERE = Path(__file__).parent
# Pictures that are compared are drawn by one number of threads, however busy the machine is.
os.environ.setdefault("OMP_NUM_THREADS", str(psutil.cpu_count(logical=False) or 1))
HEAVY = ("torch", "diffusers", "transformers")
"""What the quick ring may not import: seconds of processor time before the first test."""
NOT_QUICK = {
    "bench",
    "document/test_fuzz.py",
    "document/test_hostile.py",
    "document/test_round_trip.py",
    "e2e",
    "editors",
    "engine/acceleration",
    "engine/benchmark",
    "engine/builtin",
    "engine/checkpoints/test_tables.py",
    "engine/device",
    "engine/families/test_structure.py",
    "engine/files/test_catalogue.py",
    "engine/files/test_library.py",
    "engine/downloads",
    "engine/files/test_weight_files.py",
    "engine/layerdiffuse",
    "engine/models",
    "engine/native_rgba",
    "engine/pixels/test_initial_images.py",
    "engine/sampling",
    "engine/sketch/test_networks.py",
    "engine/sketch/test_recall.py",
    "engine/sketch/test_showing.py",
    "engine/sketch/test_variation.py",
    "engine/test_cuda.py",
    "engine/test_engine.py",
    "engine/test_full_size.py",
    "engine/test_half_precision.py",
    "engine/test_requirements.py",
    "engine/upscaling",
    "engine/weights",
    "protocol/client/test_client.py",
    "protocol/test_fuzz.py",
    "protocol/test_job_session_model.py",
    "server/command_line/test_engine_options.py",
    "server/command_line/test_into_document.py",
    "server/commands/test_bench.py",
    "server/commands/test_bench_ray.py",
    "server/commands/test_bench_wire.py",
    "server/commands/test_demo.py",
    "server/commands/test_doctor.py",
    "server/commands/test_generate.py",
    "server/commands/test_instructed.py",
    "server/commands/test_models.py",
    "server/commands/test_plugin.py",
    "server/commands/test_tasks.py",
    "server/commands/test_upscale.py",
    "server/schemas/test_json_schema.py",
    "server/http/test_tls_files.py",
    "test_public_names.py",
    "test_quick.py",
    "test_setup.py",
    "training",
    "vocabulary/test_one_verdict.py",
}
"""The folders and files that the quick ring leaves out: they need torch, an editor, a running server or many seconds."""
NEEDS_TORCH = {"tiny", "tiny_sd15", "tiny_sdxl", "untrained_folder", "untrained_engine"}
"""Fixtures whose tests the quick ring leaves out wherever they stand."""


class Forbidden:
    """Finds no module, and says so for the heavy ones: a test of the quick ring that needs them fails by their name."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if name.split(".")[0] in HEAVY:
            raise AssertionError(f"a test of the quick ring imports {name}; see NOT_QUICK in tests/conftest.py")
        return None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only the tests that need neither torch nor an editor nor a server")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--quick"):
        sys.meta_path.insert(0, Forbidden())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    quick = config.getoption("--quick")
    return True if quick and collection_path in {HERE / name for name in NOT_QUICK} else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        items[:] = [item for item in items if not NEEDS_TORCH & set(getattr(item, "fixturenames", ()))]


@pytest.fixture(scope="session")
def untrained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder like the built-in one, with random weights."""
    import torch

    from training import export
    from training.fitting import autoencoder, denoiser
    from training.pictures import tokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("untrained") / "sketchpad"
    words = tokenizer.write(folder / "tokenizer")
    network = denoiser.Denoiser(len(words), words.bos_token_id, words.eos_token_id)
    preview = {"matrix": [[0.1] * 4] * autoencoder.LATENT_CHANNELS, "bias": [0.5] * 4}
    export.save(folder, autoencoder.Codec(), network, preview)
    return folder


@pytest.fixture
def untrained(untrained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine of one's own whose built-in model has random weights; it runs without recordings."""
    from acetate.engine import Engine, builtin

    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)
    return Engine("cpu", acceleration="eager")


@pytest.fixture(scope="session")
def untrained_engine() -> Engine:
    from acetate.engine import Engine

    return Engine("cpu")


@pytest.fixture
def shared_untrained(untrained_folder: Path, untrained_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The same, with recordings and with a model that is opened once, for tests that leave it as it is."""
    from acetate.engine import builtin

    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)
    return untrained_engine


@pytest.fixture(scope="session")
def write_sparse() -> Callable[[Path, Mapping[str, tuple[int, ...]]], Path]:
    """Write an fp16 file with tensors of these shapes as the safetensors library lays it out; the data are a hole in the file."""
    return _write_sparse


def _write_sparse(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    header, place = {}, 0
    for name in sorted(shapes):
        size = 2 * math.prod(shapes[name])
        header[name] = {"dtype": "F16", "shape": list(shapes[name]), "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + place)
    return path
