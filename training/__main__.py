"""Make the built-in model: `python -m training STEP --folder build/training`.

Steps: `codec` (VAE, offset encoder, transparent decoder), `denoiser` (UNet and text encoder), `decoders` (both of the codec, for
latents that are a little wrong), `sharing` (layers that see each other, one weight file per role), `export` (into the package).
Each resumes where it was stopped. `refine` trains an exported model further, all steps in some minutes on a GPU.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from acetate.engine.builtin import FOLDER
from numpy.typing import NDArray

from .pictures import dataset, noto, rendering

if TYPE_CHECKING:
    from .fitting.autoencoder import Codec

STARTED = time.monotonic()
STAGES = ("codec", "denoiser", "decoders", "joint", "foreground-to-background", "background-to-foreground")
"""Stages of `refine`, which is imported only after its arguments are read."""


def main() -> None:
    """Run one step of the recipe."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("step", choices=["codec", "denoiser", "decoders", "sharing", "export", "refine"])
    parser.add_argument("--folder", type=Path, default=Path("build/training"), help="where checkpoints lie (git-ignored)")
    parser.add_argument("--codec-steps", type=int, default=2000)
    parser.add_argument("--denoiser-steps", type=int, default=20000)
    parser.add_argument("--decoder-steps", type=int, default=2000)
    parser.add_argument("--sharing-steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=32, help="pictures per step of the denoiser")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--font", type=Path, default=noto.FONT, help="Noto Color Emoji, from fonts-noto-color-emoji")
    refining = parser.add_argument_group("refine")
    refining.add_argument("--minutes", type=float, default=6.0, help="from the start of the program to its end")
    refining.add_argument("--device", default="cuda")
    refining.add_argument("--start-from", type=Path, default=FOLDER, help="an exported model folder")
    refining.add_argument("--export", type=Path, help="where the new one is written; by default `refined` in --folder")
    refining.add_argument(
        "--stages", nargs="+", choices=STAGES, help="by default all; `denoiser` and `decoders` may run side by side"
    )
    refining.add_argument("--placements", type=int, default=32, help="pictures of each subject")
    refining.add_argument("--every", type=int, default=1, help="only each n-th picture and scene, to try it out")
    refining.add_argument("--batches", type=float, default=1.0, help="size of the batches, as a factor")
    refining.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that draw")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    noto.use(options.font)
    (_refine if options.step == "refine" else _train)(options)


def _train(options: argparse.Namespace) -> None:
    """A step of the recipe from nothing."""
    import torch

    from . import export
    from .fitting import autoencoder, denoiser, sharing

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.step == "codec":
        _codec(options, _pictures(options.folder)[1])
    elif options.step == "denoiser":
        items, pictures = _pictures(options.folder)
        codec = _codec(options, pictures)
        denoiser.train(items, pictures, codec, options.folder, options.denoiser_steps, options.batch)
    elif options.step == "decoders":
        _, pictures = _pictures(options.folder)
        kept = torch.load(options.folder / "latents.pt", weights_only=True)
        latents = kept["latents"] * kept["std"][:, None, None] + kept["mean"][:, None, None]
        autoencoder.train_decoders(_codec(options, pictures), pictures, latents, options.folder, options.decoder_steps)
    elif options.step == "sharing":
        for role in sharing.FILES:
            sharing.train(*export.load(options.folder), options.folder, role, options.sharing_steps)
    else:
        export.write(options.folder)


def _refine(options: argparse.Namespace) -> None:
    """All of it, from an export. Torch is loaded while the pictures are drawn: before it, processes are forked safely."""
    with rendering.workers(options.workers) as pool:
        shown, names = dataset.items(options.placements)[:: options.every], dataset.scenes()[:: options.every]
        drawing = rendering.start(pool, shown, names)
        import torch

        from .fitting import refine

        device = torch.device(options.device)
        if device.type == "cpu":
            torch.set_num_threads(options.threads)
        torch.manual_seed(0)
        refine.prepare(device)
        print(f"loaded after {time.monotonic() - STARTED:.1f} s", flush=True)
        drawn = drawing.get()
    print(f"{len(drawn.items)} pictures and {len(drawn.names)} scenes drawn after {time.monotonic() - STARTED:.1f} s", flush=True)
    clock = refine.Clock(STARTED + 60 * options.minutes, tuple(options.stages or refine.SHARES))
    destination, sizes = options.export or options.folder / "refined", refine.Sizes().times(options.batches)
    refine.Refinement(options.start_from, destination, drawn, clock, device, sizes).run()
    print(f"done after {time.monotonic() - STARTED:.1f} s", flush=True)


def _codec(options: argparse.Namespace, pictures: NDArray[np.uint8]) -> Codec:
    from .fitting import autoencoder

    return autoencoder.train(pictures, options.folder, options.codec_steps)


def _pictures(folder: Path) -> tuple[list[dataset.Item], NDArray[np.uint8]]:
    """The training set, rendered once and kept."""
    path = folder / "pictures.npz"
    if not path.exists():
        items, pictures = dataset.render()
        np.savez(path, pictures=pictures, items=np.array([[i.kind, i.name, i.colour or "", i.material, i.place] for i in items]))
    with np.load(path) as stored:
        rows, pictures = stored["items"], stored["pictures"]
    return [dataset.Item(kind, name, colour or None, *rest) for kind, name, colour, *rest in rows.tolist()], pictures


if __name__ == "__main__":
    main()
