"""Make the built-in model: `python -m acetate.engine.builtin.train STEP --folder training`.

Steps: `codec` (VAE, offset encoder, transparent decoder), `denoiser` (UNet and text encoder), `decoders` (both of the codec, for
latents that are a little wrong), `sharing` (layers that see each other, one weight file per role), `export` (into the package).
Each resumes where it was stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from . import autoencoder, dataset


def main() -> None:
    """Run one step of the recipe."""
    parser = argparse.ArgumentParser(prog="python -m acetate.engine.builtin.train", description=__doc__)
    parser.add_argument("step", choices=["codec", "denoiser", "decoders", "sharing", "export"])
    parser.add_argument("--folder", type=Path, default=Path("training"), help="where checkpoints lie (git-ignored)")
    parser.add_argument("--codec-steps", type=int, default=2000)
    parser.add_argument("--denoiser-steps", type=int, default=20000)
    parser.add_argument("--decoder-steps", type=int, default=2000)
    parser.add_argument("--sharing-steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=32, help="pictures per step of the denoiser")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.step == "codec":
        _, pictures = _pictures(options.folder)
        autoencoder.train(pictures, options.folder, options.codec_steps)
    elif options.step == "denoiser":
        from . import denoiser

        items, pictures = _pictures(options.folder)
        codec = autoencoder.train(pictures, options.folder, options.codec_steps)
        denoiser.train(items, pictures, codec, options.folder, options.denoiser_steps, options.batch)
    elif options.step == "decoders":
        _, pictures = _pictures(options.folder)
        codec = autoencoder.train(pictures, options.folder, options.codec_steps)
        kept = torch.load(options.folder / "latents.pt", weights_only=True)
        latents = kept["latents"] * kept["std"][:, None, None] + kept["mean"][:, None, None]
        autoencoder.train_decoders(codec, pictures, latents, options.folder, options.decoder_steps)
    elif options.step == "sharing":
        from . import export, sharing

        for role in sharing.FILES:
            sharing.train(*export.load(options.folder), options.folder, role, options.sharing_steps)
    else:
        from . import export

        export.write(options.folder)


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
