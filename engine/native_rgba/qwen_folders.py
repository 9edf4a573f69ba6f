"""Open a Qwen-Image-2.1 from a folder in diffusers' layout. Knows files and diffusers' classes; knows no request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from acetate.raster import premultiply, resize, to_float
from diffusers.models.autoencoders.autoencoder_kl_qwenimage21 import AutoencoderKLQwenImage21
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21Transformer2DModel
from torch import Tensor
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from ..families import NATIVE_FAMILIES
from ..files.installed import Installed
from ..files.json_files import read_json
from ..models.diffusers_folders import open_network, open_part
from ..models.model import Model
from ..models.runtime import Runtime
from ..pixels.working_canvas import WorkingSizes
from .qwen_text import QwenText
from .rgba_vae import RGBAVAECodec


def open_native_model(installed: Installed, runtime: Runtime) -> Model:
    """Open the folder `installed`, its networks in host memory. Raises `ModelBroken` naming what is missing or damaged."""
    assert installed.kind.family is not None
    family, folder = NATIVE_FAMILIES[installed.kind.family], installed.path
    dtype = runtime.dtypes.unet if runtime.dtypes.unet == torch.float32 else torch.bfloat16
    vae = open_network(folder / "vae", AutoencoderKLQwenImage21, "torch_dtype", runtime.dtypes.vae)
    transformer = open_network(folder / "transformer", QwenImage21Transformer2DModel, "torch_dtype", dtype)
    # Its head is never asked for a word.
    encoder = open_network(folder / "text_encoder", Qwen3VLForConditionalGeneration, "dtype", dtype).model
    codec, schedule = RGBAVAECodec(vae), _schedule(folder)
    steps = len(schedule[LISTED] or ()) or family.defaults.steps
    return Model(
        name=installed.name,
        family=family,
        unet=transformer,
        text=QwenText(
            open_part(folder / "processor", PreTrainedTokenizerFast),
            open_part(folder / "processor", Qwen2VLImageProcessorPil),
            encoder,
        ),
        codec=codec,
        scheduler_config=schedule,
        sizes=WorkingSizes(family.native, family.smallest, family.largest, multiple_of=codec.multiple_of),
        defaults=replace(family.defaults, steps=steps),
        runtime=runtime,
        preview_matrix=fitted_preview(codec),
        caution=installed.kind.caution,
    )


LISTED = "sample_sigmas"
"""Where a pipeline keeps the noise levels that it was distilled to; we keep them with the rest of the schedule."""


def _schedule(folder: Path) -> dict[str, Any]:
    listed = read_json(folder / "model_index.json").get(LISTED)
    return {**read_json(folder / "scheduler" / "scheduler_config.json"), LISTED: listed}


PATCH, PATCHES = 16, 12
"""Pixels and number of the squares, each of a colour and an alpha of its own, that the preview is fitted to."""
RIDGE = 1e-2


def fitted_preview(codec: RGBAVAECodec) -> Tensor:
    """A linear fit of latents, and a constant, to premultiplied RGBA, `(C + 1, 4)`: nobody publishes one for this autoencoder.

    It encodes one small picture of coloured squares, which takes the VAE an eighth of a second on a card and seconds on a CPU.
    """
    squares = np.random.default_rng(0).integers(0, 256, (PATCHES, PATCHES, 4), dtype=np.uint8)
    rgba = resize(squares, PATCHES * PATCH, PATCHES * PATCH)
    latents = codec.encode(rgba)[0].flatten(1).T.double().cpu()
    seen = premultiply(to_float(resize(rgba, PATCHES * PATCH // codec.spatial, PATCHES * PATCH // codec.spatial)))
    rows = torch.cat([latents, torch.ones_like(latents[:, :1])], dim=1)
    wanted = torch.from_numpy(seen).reshape(-1, 4).double()
    fit: Tensor = torch.linalg.solve(rows.T @ rows + RIDGE * torch.eye(rows.shape[1]).double(), rows.T @ wanted)
    return fit.float()
