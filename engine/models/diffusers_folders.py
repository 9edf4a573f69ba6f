"""Open a base model from a folder in diffusers' layout, with the sizes that its own configurations state."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors import SafetensorError
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from ..families import BaseFamily
from ..files.headers import read_header
from ..files.json_files import read_json
from ..files.weight_files import TYPES, listed
from ..values.errors import ModelBroken
from ..weights.finite import check_network
from ..weights.stored_weights import keep_narrow, let_go
from .components import Components


def open_folder(
    folder: Path, family: BaseFamily, dtype: torch.dtype, vae_dtype: torch.dtype, *, narrow: bool = False
) -> Components:
    """Open the model of `family` in `folder`, `narrow` as in `fill`. Raises `ModelBroken` naming what is missing or damaged."""
    return Components(
        family=family,
        unet=open_network(folder / "unet", UNet2DConditionModel, "torch_dtype", dtype, narrow=narrow),
        vae=open_network(folder / "vae", AutoencoderKL, "torch_dtype", vae_dtype),
        tokenizers=tuple(open_part(folder / f"tokenizer{encoder.suffix}", CLIPTokenizer) for encoder in family.text_encoders),
        text_encoders=tuple(
            open_network(
                folder / f"text_encoder{encoder.suffix}",
                CLIPTextModelWithProjection if encoder.open_clip else CLIPTextModel,
                "dtype",
                dtype,
                narrow=narrow,
            )
            for encoder in family.text_encoders
        ),
        scheduler_config=read_json(folder / "scheduler" / "scheduler_config.json"),
    )


def open_network(folder: Path, kind: Any, named: str, dtype: torch.dtype, *, narrow: bool = False) -> Any:
    """The network of the class `kind` in `folder`, which takes the type as the option `named`; raises what `open_folder` does."""
    variant = _variant(folder)
    options = {named: _stored_type(folder, dtype) if narrow else dtype}
    network, found = open_part(folder, kind, use_safetensors=True, variant=variant, output_loading_info=True, **options)
    if found["missing_keys"]:
        raise ModelBroken(f"{folder} lacks tensors: {listed(found['missing_keys'])}")
    network = network.eval().requires_grad_(False)
    if narrow:
        keep_narrow(network, dtype)
    check_network(network, f"{folder.name} of {folder.parent.name}", folder.parent)
    let_go(network)
    return network


def _stored_type(folder: Path, dtype: torch.dtype) -> torch.dtype:
    """The type of most weights in `folder`, if it is narrower than `dtype`."""
    headers = [read_header(file) for file in sorted(folder.glob("*.safetensors"))]
    types = Counter(header.dtype(key) for header in headers for key in header.tensors)
    stored = TYPES.get(types.most_common(1)[0][0], dtype) if types else dtype
    return stored if stored in (torch.float16, torch.bfloat16) and stored.itemsize < dtype.itemsize else dtype


def open_part(folder: Path, kind: Any, **options: Any) -> Any:
    """What the class `kind` makes of `folder`, such as a tokenizer. Raises `ModelBroken` for a folder that it cannot open."""
    if not folder.is_dir():
        raise ModelBroken(f"{folder} is missing", "Download the whole folder again.")
    try:
        return kind.from_pretrained(folder, local_files_only=True, **options)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelBroken(f"{folder} cannot be opened: {reason}", "Download the folder again.") from error


def _variant(folder: Path) -> str | None:
    """`fp16` where there are only files such as `model.fp16.safetensors`."""
    files = [file.name for file in folder.iterdir() if ".safetensors" in file.name] if folder.is_dir() else []
    if not files:
        pickled = folder.is_dir() and any(file.suffix in (".bin", ".ckpt", ".pt") for file in folder.iterdir())
        reason = "only pickled weights, which can run code when they are opened" if pickled else "no weights"
        raise ModelBroken(f"{folder} has {reason}; .safetensors files are needed")
    return "fp16" if all(".fp16." in name or ".fp16-" in name for name in files) else None
