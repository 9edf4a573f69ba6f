"""Open a base model from what artists have: one `.safetensors` file, or a diffusers folder. Never from a hub.

Knows file layouts and hands networks out; does not know how they are run. `recognition` says which files can be opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from diffusers.loaders.single_file_utils import (
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from ..checkpoints.prediction import EDM_LEVELS, schedule
from ..families import BaseFamily
from ..families.base import TextEncoder
from ..families.ldm_checkpoints import UNET, VAE
from ..families.ldm_names import diffusers_name
from ..files.json_files import read_json
from ..files.recognition import Kind, base_family, recognise
from ..files.structures import packaged_configs
from ..values.errors import ModelBroken, ModelMissing
from ..weights.checkpoint_files import CheckpointFile
from ..weights.finite import check_network
from ..weights.stored_weights import let_go
from .clip_tokenizer import clip_tokenizer
from .components import Components, decode_only, empty_text_encoder, empty_unet, empty_vae, fill, strays
from .diffusers_folders import open_folder


def open_components(
    path: Path,
    family: BaseFamily | None = None,
    dtype: torch.dtype = torch.float32,
    *,
    vae: Path | None = None,
    text: Sequence[Path] = (),
    vae_dtype: torch.dtype | None = None,
    configs: Path | None = None,
    kind: Kind | None = None,
    narrow: bool = False,
) -> Components:
    """Open the model at `path` on the CPU, in `dtype`; the VAE in `vae_dtype`, by default never fp16, which overflows.

    If `narrow`, UNet and text encoders keep weights that are narrower than `dtype` as they are, and widen them as they run.

    `family` is checked when given. `vae` is a file to use the VAE of instead of the one inside, or where there is none; `text`
    are the files of the text encoders where there are none inside. `configs` is a folder like those in `data/` that describes
    networks of other sizes; `kind` replaces what the file says of itself. Raises `ModelBroken` for what cannot be opened, saying
    what it is, and `ModelMissing` for a missing file, VAE or text encoder.
    """
    if not path.exists():
        raise ModelMissing(f"{path} does not exist")
    vae_dtype = vae_dtype or (torch.float32 if dtype == torch.float16 else dtype)
    kind = kind or recognise(path)
    found = base_family(path, kind)
    if family is not None and family != found:
        raise ModelBroken(f"{path.name} is a model of family {found.title}; {family.title} is needed")
    if not path.is_dir():
        _check_parts(path, kind, found, vae, text)
        return _open_file(path, found, dtype, vae, text, vae_dtype, configs or packaged_configs(found.name), kind, narrow)
    opened = open_folder(path, found, dtype, vae_dtype, narrow=narrow)
    opened = replace(opened, scheduler_config=schedule(opened.scheduler_config, kind.prediction))
    return opened if vae is None else replace(opened, vae=open_vae(vae, vae_dtype, configs or path))


def open_vae(path: Path, dtype: torch.dtype, configs: Path) -> AutoencoderKL:
    """Open a VAE file with ldm or diffusers names, for the family of `configs`. Raises `ModelBroken` for any other file."""
    kind = recognise(path)
    if kind.role != "vae" and not kind.has_vae:
        raise ModelBroken(f"{path.name} is {kind.what}; a VAE is needed")
    with CheckpointFile(path) as file:
        return _vae(file, dtype, configs, path.name)


def _check_parts(path: Path, kind: Kind, family: BaseFamily, vae: Path | None, text: Sequence[Path]) -> None:
    if vae is None and not kind.has_vae:
        raise ModelMissing(f"{path.name} has no VAE inside", f"Choose a VAE file for {family.title} to go with it.")
    if not text and not kind.has_text:
        hint = f"Choose another {family.title} checkpoint whose text encoders go with it."
        raise ModelMissing(f"{path.name} has no text encoders inside", hint)


def _open_file(
    path: Path,
    family: BaseFamily,
    dtype: torch.dtype,
    vae: Path | None,
    text: Sequence[Path],
    vae_dtype: torch.dtype,
    configs: Path,
    kind: Kind,
    narrow: bool,
) -> Components:
    with CheckpointFile(path) as file:
        unet, notes = _unet(file, dtype, configs, path.name, narrow=narrow)
        encoders = []
        for index, encoder in enumerate(family.text_encoders):
            what = f"the {('', 'second ')[index]}text encoder of {(text[index] if text else path).name}"
            found, said = _text_encoder(text[index] if text else file, encoder, dtype, configs, what, narrow=narrow)
            encoders.append(found)
            notes += said
        return Components(
            family=family,
            unet=unet,
            vae=_vae(file, vae_dtype, configs, path.name) if vae is None else open_vae(vae, vae_dtype, configs),
            tokenizers=tuple(clip_tokenizer(encoder.padding) for encoder in family.text_encoders),
            text_encoders=tuple(encoders),
            scheduler_config=schedule(
                read_json(configs / "scheduler" / "scheduler_config.json"), kind.prediction, _edm_levels(file)
            ),
            notes=notes,
        )


def _edm_levels(file: CheckpointFile) -> tuple[float, float]:
    """The lowest and the highest noise level that CosXL's file states."""
    low, high = (
        float(file[name]) if (name := f"edm_vpred.sigma_{end}") in file else default
        for end, default in zip(("min", "max"), EDM_LEVELS, strict=True)
    )
    return low, high


def _unet(
    file: CheckpointFile, dtype: torch.dtype, configs: Path, name: str, *, narrow: bool
) -> tuple[UNet2DConditionModel, tuple[str, ...]]:
    unet, what = empty_unet(configs), f"the UNet of {name}"
    layers = unet.config.layers_per_block
    names = {key: diffusers_name(key.removeprefix(UNET), layers) or key for key in file if key.startswith(UNET)}
    _look_through(fill(unet, {names[key]: file[key] for key in names}, dtype, what, narrow=narrow), what, file.path)
    return unet, strays(set(names.values()) - unet.state_dict().keys(), what)


def _look_through(network: nn.Module, what: str, path: Path) -> None:
    """Raise what `check_network` does; of a mapped file no page is held afterwards."""
    check_network(network, what, path)
    let_go(network)


def _text_encoder(
    source: CheckpointFile | Path, encoder: TextEncoder, dtype: torch.dtype, configs: Path, what: str, *, narrow: bool
) -> tuple[CLIPTextModel | CLIPTextModelWithProjection, tuple[str, ...]]:
    if isinstance(source, Path):
        with CheckpointFile(source) as file:
            return _text_encoder(file, encoder, dtype, configs, what, narrow=narrow)
    network = empty_text_encoder(configs, f"text_encoder{encoder.suffix}")
    prefix = encoder.prefix if any(key.startswith(encoder.prefix) for key in source) else _prefix_of_text(source)
    inside = {key.removeprefix(prefix): source[key] for key in source if key.startswith(prefix)}
    if any(key.startswith("transformer.resblocks.") for key in inside):
        unknown = {key for key in inside if not _OPEN_CLIP.match(key)}
        tensors = _from_open_clip(network, inside)
    else:
        tensors = {key.removeprefix("text_model."): tensor for key, tensor in inside.items()}  # old files lack that part
        if hasattr(network, "text_model"):
            tensors = {key if key.startswith("text_projection") else f"text_model.{key}": t for key, t in tensors.items()}
        if "text_projection" in tensors:  # OpenCLIP's matrix
            tensors["text_projection.weight"] = tensors.pop("text_projection").T
        unknown = {key for key in tensors.keys() - network.state_dict().keys() if not _OF_CLIP.match(key)}
    _look_through(fill(network, tensors, dtype, what, narrow=narrow), what, source.path)
    return network, strays(unknown, what)


_OPEN_CLIP = re.compile(
    r"transformer\.resblocks\.\d+\.(?:attn\.(?:in_proj_|out_proj\.)|ln_[12]\.|mlp\.c_(?:fc|proj)\.)(?:weight|bias)$"
    r"|token_embedding\.weight$|positional_embedding$|ln_final\.|text_projection(?:\.weight)?$|logit_scale$|attn_mask$"
)
_OF_CLIP = re.compile(r"(?:text_model\.)?(?:embeddings\.position_ids$|logit_scale$|text_projection|vision|visual)")
"""What a text encoder's file may have besides."""
_IN_TEXT = re.compile(r"(.*?)(?:text_model\.|encoder\.layers\.|transformer\.resblocks\.)")


def _prefix_of_text(file: CheckpointFile) -> str:
    """What stands before the names in a file of a text encoder alone."""
    found = (match[1] for key in file if (match := _IN_TEXT.match(key)) and "vision" not in key and "visual" not in key)
    return next(found, "")


def _from_open_clip(network: CLIPTextModelWithProjection, inside: dict[str, Tensor]) -> dict[str, Tensor]:
    if "text_projection.weight" in inside:  # a linear layer's weight, the transpose of OpenCLIP's matrix
        inside["text_projection"] = inside.pop("text_projection.weight").T
    prefixed = {f"_.{key}": tensor for key, tensor in inside.items()}
    tensors: dict[str, Tensor] = convert_open_clip_checkpoint(network, prefixed, prefix="_.")
    return tensors


def _vae(file: CheckpointFile, dtype: torch.dtype, configs: Path, name: str) -> AutoencoderKL:
    vae = empty_vae(configs)
    inside = {key: file[key] for key in file if key.startswith((VAE, "vae."))} or {key: file[key] for key in file}
    bare = {key.removeprefix(VAE).removeprefix("vae."): tensor for key, tensor in inside.items()}
    if any(".down_blocks." in key or ".up_blocks." in key for key in bare):
        tensors = {_current_name(key): tensor for key, tensor in bare.items()}
    else:
        tensors = convert_ldm_vae_checkpoint(bare, vae.config)
    if not any(key.startswith("encoder.") for key in tensors):
        decode_only(vae)
    what = f"the VAE of {name}"
    check_network(fill(vae, tensors, dtype, what), what, file.path, replaceable=True)
    return vae


def _current_name(key: str) -> str:
    """Attention layers of VAEs that were saved by diffusers before 0.17."""
    for old, new in ((".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")):
        key = key.replace(old, new)
    return key
