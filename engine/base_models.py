"""Open an SD 1.5 or SDXL checkpoint together with LayerDiffuse's networks for its family.

Knows the library's files; knows no request.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .checkpoints import open_components
from .codec import LatentOffsetCodec
from .components import fill
from .devices import dtypes
from .errors import ModelBroken, ModelMissing
from .frame import WorkingSizes
from .library import Installed, Library
from .model import Defaults, Model
from .recipes import Family
from .transparency import TransparentDecoder, TransparentEncoder
from .weight_files import WeightFile, shapes_of

MULTIPLE = 64
"""Every mode with a transparent decode or a control picture needs it (layerdiffuse.md 6.4)."""

NATIVE: dict[str, int] = {"sd15": 512, "sdxl": 1024}
DEFAULTS: dict[str, Defaults] = {
    "sd15": Defaults(steps=20, guidance_scale=7.0, scheduler="dpmpp-2m-karras", alpha_passes=8),
    "sdxl": Defaults(steps=20, guidance_scale=6.0, scheduler="dpmpp-2m-sde-karras", alpha_passes=8),
}
"""The references' own settings (layerdiffuse.md 6.3)."""

LATENT_COLOURS: dict[str, list[list[float]]] = {
    "sd15": [[0.351, 0.230, 0.323], [0.325, 0.497, 0.235], [-0.283, 0.176, 0.272], [-0.212, -0.262, -0.718], [0.0, 0.0, 0.0]],
    "sdxl": [
        [0.365, 0.423, 0.434],
        [-0.253, -0.004, 0.107],
        [0.108, 0.111, -0.036],
        [-0.317, -0.249, -0.219],
        [0.108, -0.018, -0.001],
    ],
}
"""Widely used linear fits of a family's latents to RGB in [-1, 1], the last row the constant; enough for a preview."""


def open_base_model(installed: Installed, library: Library, device: torch.device) -> Model:
    """Open the checkpoint `installed`; raises `ModelMissing` naming the command that brings a missing decoder.

    Its networks are in host memory: `Placement` brings each to the device when it is needed.
    """
    family = installed.kind.family
    assert family is not None
    kinds = dtypes(device)
    decoder = open_decoder(library.weights(family, "transparent-decoder").path)
    encoder, factor = _encoder(library, family)
    components = open_components(installed.path, family, kinds.unet, vae_dtype=kinds.vae)
    for network in (components.unet, components.vae):
        network.to(memory_format=torch.channels_last)
    codec = LatentOffsetCodec(
        components.vae,
        None if encoder is None else encoder.to(kinds.decoder),
        decoder.to(kinds.decoder),
        offset_factor=factor,
    )
    return Model(
        name=installed.name,
        family=family,
        unet=components.unet,
        text=components.prompt_encoder(),
        codec=codec,
        scheduler_config=components.scheduler_config,
        sizes=WorkingSizes(max(MULTIPLE, codec.multiple_of), NATIVE[family]),
        defaults=DEFAULTS[family],
        device=device,
        preview_matrix=_preview_matrix(family),
    )


def size_in_memory(path: Path, device: torch.device) -> int:
    """About how many bytes of host memory opening takes: half precision in the file may become more."""
    files = path.rglob("*.safetensors") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) * dtypes(device).unet.itemsize // 2


def open_decoder(path: Path) -> TransparentDecoder:
    """A published decoder file, or one of another width; all keys must fit."""
    with WeightFile(path) as file:
        shapes = shapes_of(file)
        depth = len({key.split(".")[1] for key in shapes if key.startswith("down_blocks.")})
        channels = [shapes[f"down_blocks.{level}.resnets.0.conv1.weight"][0] for level in range(depth)]
        attentive = {key.split(".")[1] for key in shapes if key.startswith("down_blocks.") and ".attentions." in key}
        network = TransparentDecoder(shapes["latent_conv_in.weight"][1], channels, len(attentive))
        return fill(network, _whole(file), torch.float32, path.name, exact=True)


def open_encoder(path: Path) -> TransparentEncoder:
    """A published encoder file, or one of another width; all keys must fit."""
    with WeightFile(path) as file:
        shapes = shapes_of(file)
        last = max(int(key.split(".")[1]) for key in shapes)
        channels = [shapes["blocks.0.weight"][0], *(shapes[f"blocks.{i}.weight"][0] for i in range(4, last, 4))]
        network = TransparentEncoder(shapes[f"blocks.{last}.weight"][0], channels)
        return fill(network, _whole(file), torch.float32, path.name, exact=True)


def _whole(file: WeightFile) -> dict[str, Tensor]:
    """Every tensor; NaN and infinity are refused, as they would show only in the picture."""
    tensors = dict(file.items())
    broken = [key for key, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise ModelBroken(f"{file.path.name} holds NaN or infinity in {broken[0]}", "Download the file again.")
    return tensors


def _encoder(library: Library, family: Family) -> tuple[Any, float]:
    """The offset encoder and its factor; only tasks with a source need it, so it may be missing."""
    try:
        installed = library.weights(family, "transparent-encoder")
    except ModelMissing:
        return None, 1.0
    return open_encoder(installed.path), installed.row.offset_factor if installed.row else 1.0


def _preview_matrix(family: Family) -> Tensor:
    """The colour fit in [0, 1]; a matrix of three columns leaves alpha to `Model.preview`."""
    fit = torch.tensor(LATENT_COLOURS[family]) * 0.5
    fit[-1] += 0.5
    return fit
