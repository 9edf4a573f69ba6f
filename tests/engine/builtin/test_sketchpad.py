"""The model in the package, loaded and judged: the gates of its card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from acetate.engine import Engine, Picture, Progress, Request, builtin
from acetate.raster import premultiply, resample, to_float

from training.judging import judge


def test_it_is_small_enough_to_travel_in_the_package() -> None:
    size = sum(path.stat().st_size for path in builtin.FOLDER.rglob("*") if path.is_file())
    assert 1_000_000 < size <= 45_000_000


def test_it_holds_safetensors_and_no_pickle() -> None:
    endings = {path.suffix for path in builtin.FOLDER.rglob("*") if path.is_file()}
    assert endings <= {".safetensors", ".json", ".txt", ".md"}


def test_stock_diffusers_opens_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is SD 1.5-shaped: what runs SD 1.5 runs it."""
    from diffusers import StableDiffusionPipeline

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pipeline = StableDiffusionPipeline.from_pretrained(builtin.FOLDER, local_files_only=True, safety_checker=None)
    assert pipeline.unet.config.in_channels == pipeline.vae.config.latent_channels


def test_previews_resemble_the_layer() -> None:
    """The last one, where the latents are the layer's own: at its size of 16 x 16, premultiplied."""
    *progress, layer = Engine("cpu").run(Request(prompt="a red apple"))
    assert isinstance(layer, Picture)
    previews = [event.preview for event in progress if isinstance(event, Progress) and event.preview is not None]
    seen = premultiply(to_float(previews[-1]()))
    made = resample(premultiply(to_float(layer.rgba)), seen.shape[1], seen.shape[0], "area")
    assert np.abs(seen - made).mean() < 30 / 255


@pytest.fixture(scope="module")
def tally() -> judge.Tally:
    """Every case of the judge, with two seeds: some minutes."""
    return judge.judge(judge.run(seeds=2))


@pytest.mark.parametrize("measure", judge.GATES)
def test_the_gate_is_reached(tally: judge.Tally, measure: str) -> None:
    failures = "\n".join(line for line in tally.failures if line.startswith(measure))
    assert tally.share(measure) >= judge.GATES[measure], f"{judge.table(tally)}\n{failures}"


def test_the_card_states_every_gate() -> None:
    card = Path(builtin.FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"| {measure} |" in card for measure in judge.GATES)
