"""Full-size base models with random weights: as fast and as large as real ones, for machines without any.

Knows the families' configurations; knows no file of weights. Their pictures mean nothing.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..families import BASE_FAMILIES
from ..files.json_files import read_json
from ..files.structures import packaged_configs
from ..layerdiffuse import upsample_conv
from ..layerdiffuse.transparency import TransparentDecoder, TransparentEncoder
from ..models.base_models import assemble
from ..models.clip_tokenizer import clip_tokenizer
from ..models.codec import LatentOffsetCodec
from ..models.components import Components, empty_text_encoder, empty_unet, empty_vae
from ..models.model import Model
from ..models.runtime import Runtime

BLOCK = 2**20
"""Random numbers that are drawn; a weight repeats them, which no kernel notices."""


def synthetic_model(name: str, runtime: Runtime, configs: Path | None = None) -> Model:
    """A model of the real size of the family `name` with LayerDiffuse's two networks; `configs` describes other sizes."""
    family, configs = BASE_FAMILIES[name], configs or packaged_configs(name)
    kinds = runtime.dtypes
    with torch.device("meta"):
        encoder, decoder = TransparentEncoder(), TransparentDecoder()
    components = Components(
        family=family,
        unet=_filled(empty_unet(configs), kinds.unet),
        vae=_filled(empty_vae(configs), kinds.vae),
        tokenizers=tuple(clip_tokenizer(encoder.padding) for encoder in family.text_encoders),
        text_encoders=tuple(
            _filled(empty_text_encoder(configs, f"text_encoder{encoder.suffix}"), kinds.unet) for encoder in family.text_encoders
        ),
        scheduler_config=read_json(configs / "scheduler" / "scheduler_config.json"),
    )
    upsample_conv.double_in(components.vae)
    codec = LatentOffsetCodec(components.vae, _filled(encoder, kinds.decoder), _filled(decoder, kinds.decoder))
    return assemble(f"synthetic {name}", components, codec, runtime)


def _filled(network: Any, dtype: torch.dtype) -> Any:
    """The meta `network` in host memory, as one from a file, with weights that keep activations near 1."""
    plain = nn.Module.to(network, dtype)  # past diffusers' own `to`, which warns of no module at all
    network = plain.to_empty(device="cpu").eval().requires_grad_(False)
    block = torch.randn(BLOCK, generator=torch.Generator("cpu").manual_seed(0)).to(dtype)
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, (nn.GroupNorm, nn.LayerNorm)):
                parameter.fill_(1.0 if name == "weight" else 0.0)
            elif parameter.ndim < 2:
                parameter.zero_()
            else:
                _repeat(block, parameter)
                parameter.mul_(1 / math.sqrt(parameter[0].numel()))
    for name, buffer in network.named_buffers():  # CLIP's position numbers are the only ones
        buffer.copy_(torch.arange(buffer.numel()).reshape(buffer.shape) if "position_ids" in name else 0)
    return network.to(memory_format=torch.channels_last)


def _repeat(block: Tensor, target: Tensor) -> None:
    flat = target.view(-1)
    for start in range(0, flat.numel(), len(block)):
        part = flat[start : start + len(block)]
        part.copy_(block[: len(part)])
