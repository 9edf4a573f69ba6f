"""What takes no network, and every mistake that can be known beforehand, is answered without importing torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate.raster import lanczos
from PIL import Image

Command = Callable[..., tuple[int, str, str]]
LONG = "x" * 10_001
MISTAKES = (
    ("--steps 0", "--steps is 0; it must be a whole number from 1 to 1000"),
    ("--steps 1001", "--steps is 1001"),
    ("--size 0x0", "--size: width is 0"),
    ("--size 40x9000", "--size: height is 9000"),
    ("--size ٦٤", "is not a size"),
    ("--seed -1", "--seed is -1"),
    ("--seed 9223372036854775807 --count 2", "take a smaller --seed"),
    ("--guidance nan", "--guidance is nan"),
    ("--guidance inf", "--guidance is inf"),
    ("--guidance -1", "--guidance is -1"),
    ("--count 0", "--count is 0"),
    ("--count 65", "--count is 65"),
    ("--clip-skip 13", "--clip-skip is 13"),
    ("--strength 0.5", "--task foreground does not use --strength"),
    ("--task refine --strength 2 --layer LAYER", "--strength is 2"),
    ("--task refine", "add --layer FILE"),
    ("--task repaint --layer LAYER", "add --mask FILE"),
    ("--task object", "add --background FILE"),
    ("--task blend", "add --foreground FILE or --background FILE"),
    ("--task scene --strength 0.5", "there is no --layer to keep"),
    ("--mask LAYER", "--task foreground does not use --mask"),
    ("--foreground LAYER", "take --task background"),
    ("--background LAYER", "take --task object"),
    ("--blended LAYER", "does not use --blended"),
    ("--layer LAYER", "begins from nothing"),
    ("--lock-alpha", "does not use --lock-alpha"),
    ("--resize-mode fill", "does not use --resize-mode"),
    ("--task scene --resize-mode fill", "--resize-mode would change nothing without a given picture"),
    ("--layer-prompts add", "does not use --layer-prompts"),
    ("--task scene --layer-prompts add", "without a prompt for a layer"),
    ("--background-prompt sky", "--background-prompt is for a layer that the task does not make"),
    ("--blended-prompt sky", "--blended-prompt is for a layer"),
    ("--task refine --layer LAYER --size 64x64", "--task refine does not use --size"),
    ("--stop-at 0.5", "--stop-at 0.5 would change nothing"),
    ("--injection convolution", "--injection 'convolution' would change nothing"),
    ("--layer-weight 0.5", "--layer-weight 0.5 would change nothing"),
    ("--layer-weight 9", "--layer-weight is 9"),
    ("--model nope", "there is no model 'nope'"),
    ("--model ../nope", "--model is '../nope'"),
    ("--lora nope", "takes none|take none"),
    ("--lora nope:99", "99"),
    ("--device tpu", "unknown device 'tpu'"),
    ("--device cuda:x", "unknown device 'cuda:x'"),
    ("--scheduler plms", "--scheduler is 'plms'"),
    ("--spacing wide", "--spacing is 'wide'"),
    ("--acceleration fast", "--acceleration is 'fast'"),
    ("--task extract-background --foreground LAYER --blended LAYER", "has no weights|can do|cannot"),
    (f"--negative {LONG}", "--negative has 10001 characters"),
    ("--negative a\udcff", "--negative has bytes that are no text in UTF-8"),
    ("--foreground-prompt a\udcff", "--foreground-prompt has bytes that are no text in UTF-8"),
)
ENLARGED = (
    ("--scale 0", "--scale is 0"),
    ("--scale nan", "--scale is nan"),
    ("--scale 17", "--scale is 17"),
    ("--size 9000x1", "--size: width is 9000"),
    ("--set foo=1", "--set: unknown option 'foo'"),
    ("--set padding=wide", "--set: padding is 'wide'"),
    ("--set padding", "'padding' sets nothing"),
    ("--alpha network", "--alpha is to be made by a network, but no --upscaler was named"),
    ("--colour network", "--colour is to be made by a network"),
    ("--upscaler nope", "there is no upscaler 'nope'"),
    ("--upscaler LAYER", "an upscaler is a .safetensors or .pth file"),
    ("--mode redraw", "cannot redraw opaque colour"),
    ("--mode refine --strength 2", "--strength is 2"),
    ("--model nope", "there is no model 'nope'"),
    ("--device tpu", "unknown device 'tpu'"),
    ("--seed -1", "--seed is -1"),
)


@pytest.fixture(autouse=True)
def no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of these can be imported, also where another test has done so."""
    for name in ("torch", "diffusers", "transformers", "acetate.engine.engine", "acetate.engine.upscaling.upscalers"):
        monkeypatch.setitem(sys.modules, name, None)


def failed(outcome: tuple[int, str, str]) -> str:
    code, out, err = outcome
    assert code in (1, 2) and not out, err
    assert err.startswith("acetate: ") and "Traceback" not in err and len(err.splitlines()) <= 2
    return err


@pytest.mark.parametrize(
    ("words", "said"), MISTAKES, ids=[words[:40].encode("ascii", "replace").decode() for words, _ in MISTAKES]
)
def test_a_mistake_is_said_before_anything_heavy_is_imported(acetate: Command, layer_file: Path, words: str, said: str) -> None:
    typed = [str(layer_file) if word == "LAYER" else word for word in words.split()]
    err = failed(acetate("generate", "a fox", "-o", "x.png", "--alone", *typed))
    assert any(one in err for one in said.split("|")), err


@pytest.mark.parametrize("prompt", ["a \udcff fox", "", "(:1.2)", LONG, "a\0b"])
def test_a_prompt_that_cannot_be_read_is_refused(acetate: Command, prompt: str) -> None:
    assert "prompt" in failed(acetate("generate", prompt, "-o", "x.png", "--alone"))


@pytest.mark.parametrize(("words", "said"), ENLARGED, ids=[words for words, _ in ENLARGED])
def test_so_is_one_about_an_enlargement(acetate: Command, layer_file: Path, words: str, said: str) -> None:
    typed = [str(layer_file) if word == "LAYER" else word for word in words.split()]
    assert said in failed(acetate("upscale", layer_file, "-o", "x.png", "--alone", *typed))


def test_lanczos_enlarges_without_any_network_library(acetate: Command, layer_file: Path) -> None:
    code, out, err = acetate("upscale", layer_file, "-o", "large.png", "--scale", 3)
    assert (code, out) == (0, "large.png\n"), err
    made, source = (np.asarray(Image.open(path)) for path in ("large.png", layer_file))
    assert made.shape == (90, 120, 4)
    settled = np.isin(made[..., 3], (0, 255))
    assert (np.abs(made[..., 3].astype(int) - lanczos(source[..., 3].copy(), (120, 90)))[~settled] <= 1).all()


@pytest.mark.parametrize("size", ["80x60", "80X60", "80×60"])
def test_a_size_is_written_as_people_write_it(acetate: Command, layer_file: Path, size: str) -> None:
    assert acetate("upscale", layer_file, "-o", "large.png", "--size", size)[0] == 0
    with Image.open("large.png") as made:
        assert made.size == (80, 60)


def test_what_had_no_effect_is_said_of_an_enlargement(acetate: Command, layer_file: Path) -> None:
    _, _, err = acetate("upscale", layer_file, "-o", "large.png", "--set", "padding=64", "--mode", "enlarge")
    assert "padding had no effect: nothing was redrawn" in err
