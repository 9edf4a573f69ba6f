"""The parts of a base model, and the way from tensors in a file to a loaded network.

Knows configurations and state dicts; knows neither where a file comes from nor what it is used for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import init_empty_weights
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from ..families import BaseFamily
from ..files.json_files import read_json
from ..files.weight_files import listed
from ..values.errors import ModelBroken
from ..weights.stored_weights import keep_narrow
from .prompts import PromptEncoder

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Components:
    """An opened base model on the CPU, its networks in evaluation mode and without gradients."""

    family: BaseFamily
    unet: UNet2DConditionModel
    vae: AutoencoderKL
    tokenizers: tuple[Any, ...]
    text_encoders: tuple[Any, ...]
    scheduler_config: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    """What a person should know of its files."""

    def prompt_encoder(self) -> PromptEncoder:
        """The prompt encoder of the family."""
        layer, normalised = self.family.text_layer, self.family.text_normalised
        return PromptEncoder(self.tokenizers, self.text_encoders, layer=layer, normalised=normalised)


def empty_unet(configs: Path) -> UNet2DConditionModel:
    """A UNet on the meta device, for `fill`."""
    with init_empty_weights():
        unet: UNet2DConditionModel = UNet2DConditionModel.from_config(read_json(configs / "unet" / "config.json"))
    return unet


def empty_vae(configs: Path) -> AutoencoderKL:
    """A VAE on the meta device, for `fill`."""
    with init_empty_weights():
        vae: AutoencoderKL = AutoencoderKL.from_config(read_json(configs / "vae" / "config.json"))
    return vae


def decode_only(vae: AutoencoderKL) -> None:
    """Take away what a file of a decoder alone has no weights for."""
    vae.encoder = vae.quant_conv = None


def empty_text_encoder(configs: Path, name: str) -> CLIPTextModel | CLIPTextModelWithProjection:
    """A text encoder on the meta device, for `fill`; `name` is its subfolder."""
    config = read_json(configs / name / "config.json")
    projected = config.get("architectures") == ["CLIPTextModelWithProjection"]
    with init_empty_weights():
        return (CLIPTextModelWithProjection if projected else CLIPTextModel)(CLIPTextConfig.from_dict(config))


def fill(
    network: Network, weights: Mapping[str, Tensor], dtype: torch.dtype, what: str, *, exact: bool = False, narrow: bool = False
) -> Network:
    """Fill an empty network with its weights, cast to `dtype`; `exact` refuses tensors that the network does not have.

    If `narrow`, weights that are narrower than `dtype` stay so, and are widened as their layers run.

    Where the type is the file's own, the tensors stay views of the mapped file and cost no memory until they are moved. Raises
    `ModelBroken` for tensors that are missing or of another shape.
    """
    expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
    missing = expected.keys() - weights.keys()
    if len(missing) > len(expected) // 2:
        raise ModelBroken(
            f"{what} is of another kind of model: it lacks {len(missing)} of {len(expected)} tensors: {listed(missing)}"
        )
    if missing:
        raise ModelBroken(f"{what} lacks {len(missing)} of its {len(expected)} tensors: {listed(missing)}")
    if exact and (unknown := weights.keys() - expected.keys()):
        raise ModelBroken(f"{what} has tensors of another network: {listed(unknown)}")
    wrong = [
        f"{name} is {tuple(weights[name].shape)} instead of {tuple(shape)}"
        for name, shape in expected.items()
        if weights[name].squeeze().shape != torch.Size(n for n in shape if n != 1)
    ]
    if wrong:
        raise ModelBroken(f"{what} is of another kind of model: {listed(wrong)}")
    # proj_in and proj_out are 1x1 convolutions in some checkpoints and linear layers in others
    cast = {name: _cast(weights[name], dtype, narrow=narrow).reshape(shape) for name, shape in expected.items()}
    network.load_state_dict(cast, assign=True)
    if narrow:
        keep_narrow(network, dtype)
    return network.eval().requires_grad_(False)


def _cast(tensor: Tensor, dtype: torch.dtype, *, narrow: bool) -> Tensor:
    stays = narrow and tensor.is_floating_point() and tensor.dtype.itemsize < dtype.itemsize
    return tensor if stays else tensor.to(dtype)


def strays(unknown: Collection[str], what: str) -> tuple[str, ...]:
    """That the tensors `unknown` were not used; nothing for none."""
    if not unknown:
        return ()
    many = "1 tensor" if len(unknown) == 1 else f"{len(unknown)} tensors"
    return (
        f"{many} of {what} {'was' if len(unknown) == 1 else 'were'} not used, as it has no place for them: {listed(unknown, 3)}",
    )
