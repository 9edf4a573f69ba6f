"""Open a base model from what artists have: one `.safetensors` file, or a diffusers folder. Never from a hub.

Knows file layouts and hands networks out; does not know how they are run. `recognition` says which files can be opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from ..families import BaseFamily
from ..families.base import TextEncoder
from ..families.ldm_checkpoints import UNET, VAE
from ..files.json_files import read_json
from ..files.recognition import base_family, recognise
from ..files.structures import packaged_configs
from ..files.weight_files import WeightFile
from ..values.errors import ModelBroken, ModelMissing
from .clip_tokenizer import clip_tokenizer
from .components import Components, empty_text_encoder, empty_unet, empty_vae, fill
from .diffusers_folders import open_folder


def open_components(
    path: Path,
    family: BaseFamily | None = None,
    dtype: torch.dtype = torch.float32,
    *,
    vae: Path | None = None,
    vae_dtype: torch.dtype | None = None,
    configs: Path | None = None,
) -> Components:
    """Open the model at `path` on the CPU, in `dtype`; the VAE in `vae_dtype`, by default never fp16, which overflows.

    `family` is checked when given. `vae` is a VAE file to use instead of the one inside, or where there is none. `configs`
    is a folder like those in `data/` that describes networks of other sizes. Raises `ModelBroken` for what cannot be
    opened, saying what it is, and `ModelMissing` for a missing file or VAE.
    """
    if not path.exists():
        raise ModelMissing(f"{path} does not exist")
    vae_dtype = vae_dtype or (torch.float32 if dtype == torch.float16 else dtype)
    found = base_family(path)
    if family is not None and family != found:
        raise ModelBroken(f"{path.name} is a model of family {found.title}; {family.title} is needed")
    if not path.is_dir():
        return _open_file(path, found, dtype, vae, vae_dtype, configs or packaged_configs(found.name))
    opened = open_folder(path, found, dtype, vae_dtype)
    return opened if vae is None else replace(opened, vae=open_vae(vae, vae_dtype, configs or path))


def open_vae(path: Path, dtype: torch.dtype, configs: Path) -> AutoencoderKL:
    """Open a VAE file with ldm or diffusers names, for the family of `configs`. Raises `ModelBroken` for any other file."""
    kind = recognise(path)
    if kind.role != "vae" and not kind.has_vae:
        raise ModelBroken(f"{path.name} is {kind.what}; a VAE is needed")
    with WeightFile(path) as file:
        return _vae(file, dtype, configs, path.name)


def _open_file(
    path: Path, family: BaseFamily, dtype: torch.dtype, vae: Path | None, vae_dtype: torch.dtype, configs: Path
) -> Components:
    with WeightFile(path) as file:
        if vae is None and not recognise(path).has_vae:
            raise ModelMissing(f"{path.name} has no VAE inside", f"Choose a VAE file for {family.title} to go with it.")
        unet = empty_unet(configs)
        tensors = convert_ldm_unet_checkpoint(_below(file, [UNET]), unet.config)
        fill(unet, tensors, dtype, f"the UNet of {path.name}", exact=True)
        return Components(
            family=family,
            unet=unet,
            vae=_vae(file, vae_dtype, configs, path.name) if vae is None else open_vae(vae, vae_dtype, configs),
            tokenizers=tuple(clip_tokenizer(encoder.padding) for encoder in family.text_encoders),
            text_encoders=tuple(
                _text_encoder(file, encoder, dtype, configs, f"the {which}text encoder of {path.name}")
                for encoder, which in zip(family.text_encoders, ("", "second "), strict=False)
            ),
            scheduler_config=read_json(configs / "scheduler" / "scheduler_config.json"),
        )


def _text_encoder(
    file: WeightFile, encoder: TextEncoder, dtype: torch.dtype, configs: Path, what: str
) -> CLIPTextModel | CLIPTextModelWithProjection:
    network = empty_text_encoder(configs, f"text_encoder{encoder.suffix}")
    tensors = _below(file, [encoder.prefix])
    if encoder.open_clip:
        projection = f"{encoder.prefix}text_projection"
        if f"{projection}.weight" in tensors:  # a linear layer's weight, the transpose of OpenCLIP's matrix
            tensors[projection] = tensors.pop(f"{projection}.weight").T
        tensors = convert_open_clip_checkpoint(network, tensors, prefix=encoder.prefix)
    else:
        tensors = convert_ldm_clip_checkpoint(tensors)
        tensors = {key.removeprefix("text_model."): tensor for key, tensor in tensors.items()}  # old files lack that part
        if hasattr(network, "text_model"):
            tensors = {f"text_model.{key}": tensor for key, tensor in tensors.items()}
    return fill(network, tensors, dtype, what, exact=False)


def _vae(file: WeightFile, dtype: torch.dtype, configs: Path, name: str) -> AutoencoderKL:
    vae = empty_vae(configs)
    inside = _below(file, [VAE, "vae."]) or {key: file[key] for key in file}
    bare = {key.removeprefix(VAE).removeprefix("vae."): tensor for key, tensor in inside.items()}
    if any(".down_blocks." in key for key in bare):
        tensors = {_current_name(key): tensor for key, tensor in bare.items()}
    else:
        tensors = convert_ldm_vae_checkpoint(bare, vae.config)
    return fill(vae, tensors, dtype, f"the VAE of {name}", exact=False)


def _current_name(key: str) -> str:
    """Attention layers of VAEs that were saved by diffusers before 0.17."""
    for old, new in ((".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")):
        key = key.replace(old, new)
    return key


def _below(file: Mapping[str, Tensor], prefixes: Iterable[str]) -> dict[str, Tensor]:
    starts = tuple(prefixes)
    return {key: file[key] for key in file if key.startswith(starts)}
