"""Make the model that draws after a memory: `python -m training.sketching STEP --artwork FOLDER --words FOLDER FOLDER`.

Steps: `codec` (the decoder; latents are a closed form), `denoiser` (the UNet, which needs the latents alone), `enlarger` (needs
the codec), `mistakes` (decoder and enlarger learn from what the denoiser makes; needs all three), `pack` (memory, words and
networks as a folder that the engine opens, `model` in --folder). Each goes on where it was stopped; after `unpack`, where the
model in `training/checkpoints` was. `--artwork` is npm's package `@iconify-json/noto`, unpacked; `--words` the folders
`annotations` and `annotationsDerived` of `cldr-annotations-full` and `cldr-annotations-derived-full`. Pictures are rendered at
the first step, in some minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

import numpy as np
import torch
from acetate.engine.builtin import FOLDER
from numpy.typing import NDArray
from transformers import CLIPTextModel

from . import packing
from .fitting import enlarging, guesses, patch_codec, recalling
from .pictures import kept, procedural, tokenizer, vectors
from .pictures.dataset import NATIVE
from .pictures.subjects import HUES
from .pictures.vectors import Vector

CHECKPOINT = Path(__file__).parent / "checkpoints" / "sketchpad"
"""What was trained so far."""
LARGE = 4 * NATIVE
STEPS = {"codec": 4000, "denoiser": 6000, "enlarger": 3000, "mistakes": 6000, "pack": 0, "unpack": 0}
"""How many steps each is trained by default; what was reached in two hours of two old cores was a third of that."""


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(prog="python -m training.sketching", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--artwork", type=Path, help="for every step but `unpack`")
    parser.add_argument("--words", type=Path, nargs="+", help="for `pack`; without it memory and words stay as they are")
    parser.add_argument("--folder", type=Path, default=Path("build/training"), help="where checkpoints lie (git-ignored)")
    parser.add_argument("--steps", type=int, help="up to which step; the pace of learning falls towards it")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.step == "unpack":
        packing.unpack(CHECKPOINT, options.folder)
        return
    if options.artwork is None:
        parser.error("--artwork is missing")
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    subjects = vectors.read(options.artwork)
    large = vectors.rendered(subjects, LARGE, options.folder / "vectors512.npy")
    small = reduced(large, options.folder / "vectors128.npy")
    steps = options.steps or STEPS[options.step]
    if options.step == "codec":
        _codec(small, options.folder, steps)
    elif options.step == "denoiser":
        _denoiser(subjects, small, options.folder, steps)
    elif options.step == "mistakes":
        _mistakes(small, large, options.folder, steps)
    elif options.step == "enlarger":
        seen = np.flatnonzero(~vectors.held_out(len(small)))
        encoder, decoder = packing.codec(options.folder)
        given = enlarging.small_ones(encoder, decoder, small[seen])
        enlarging.train(given, large, seen, options.folder, steps)
    else:
        _pack(subjects, small, options.folder, options.words)


def reduced(large: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    """`(N, 4 H, 4 W, 4)` premultiplied at a quarter of its size, kept at `path`."""
    if not path.exists():
        side = large.shape[1] // 4
        made = np.empty((len(large), side, side, 4), np.uint8)
        for index, picture in enumerate(large):
            made[index] = picture.reshape(side, 4, side, 4, 4).mean(axis=(1, 3)) + 0.5
        np.save(path, made)
    return cast(NDArray[np.uint8], np.load(path))


def _codec(small: NDArray[np.uint8], folder: Path, steps: int) -> None:
    unseen = vectors.held_out(len(small))
    encoder, decoder = patch_codec.train(small[~unseen], folder, steps)
    found = patch_codec.fidelity(encoder, decoder, small[unseen])
    print(f"unseen drawings come back at {np.mean(found):.2f} dB, the worst at {min(found):.2f}", flush=True)


def _denoiser(subjects: list[Vector], small: NDArray[np.uint8], folder: Path, steps: int) -> None:
    """From the closed form: it may be trained while the decoder is."""
    encoder, _ = patch_codec.encoder_of(small[~vectors.held_out(len(small))])
    words = tokenizer.kept(FOLDER / "tokenizer")
    texts = CLIPTextModel.from_pretrained(FOLDER / "text_encoder", dtype=torch.float32).eval()
    names, pictures = formulas(NATIVE)
    shown = recalling.Shown(np.concatenate([small, pictures]), [vector.name.replace("-", " ") for vector in subjects] + names)
    recalling.train(shown, encoder, words, texts, folder, steps)


def _mistakes(small: NDArray[np.uint8], large: NDArray[np.uint8], folder: Path, steps: int) -> None:
    """Decoder and enlarger go on, up to `steps` each, with what the denoiser makes of the drawings."""
    seen = np.flatnonzero(~vectors.held_out(len(small)))
    encoder, _ = packing.codec(folder)
    words = tokenizer.kept(FOLDER / "tokenizer")
    texts = CLIPTextModel.from_pretrained(FOLDER / "text_encoder", dtype=torch.float32).eval()
    with torch.no_grad():
        silent = texts(tokenizer.tokens(words, [""])).last_hidden_state
    found = guesses.guessed(packing.unet(folder), encoder, small[seen], silent)
    _, decoder = patch_codec.train(small[seen], folder, steps, guesses=found)
    enlarging.train(guesses.decoded(decoder, found), large, seen, folder, steps)


def formulas(size: int) -> tuple[list[str], NDArray[np.uint8]]:
    """Shapes and effects in all colours: their names, and `(N, size, size, 4)` premultiplied."""
    rng = np.random.default_rng(0)
    found = [
        (f"{colour} {material} {shape}", procedural.solid(shape, colour, material, size, rng))
        for shape in procedural.SHAPES
        for material in procedural.MATERIALS
        for colour in HUES
    ]
    for effect in procedural.EFFECTS:
        colours = (*HUES, "grey") if effect == "smoke" else (*HUES,)
        found += [(f"{colour} {effect}", procedural.effect(effect, colour, size, rng)) for colour in colours]
    pictures = np.stack([picture for _, picture in found])
    pictures[..., :3] = (pictures[..., :3].astype(np.uint16) * pictures[..., 3:] + 127) // 255
    return [name for name, _ in found], pictures


def _pack(subjects: list[Vector], small: NDArray[np.uint8], folder: Path, words: list[Path] | None) -> None:
    destination = folder / "model"
    destination.mkdir(exist_ok=True)
    if words:
        kept.write(destination, subjects, small, words)
    packing.write(folder, destination)


if __name__ == "__main__":
    main()
