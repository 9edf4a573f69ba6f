"""Open the built-in model's folder, and put networks on a device. Knows files and diffusers' classes, but no request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from ..families import SKETCHPAD, Defaults
from ..layerdiffuse import upsample_conv
from ..layerdiffuse.transparency import TransparentDecoder, TransparentEncoder
from ..pixels.working_canvas import WorkingSizes
from ..sketch.memory import MEMORY
from ..sketch.networks import Enlarger, PatchDecoder, PatchEncoder
from ..sketch.recall import Recall
from ..values.errors import ModelBroken
from .codec import LatentOffsetCodec
from .model import Model
from .patch_codec import PatchCodec
from .prompts import PromptEncoder
from .runtime import Runtime

transformers_logging.disable_progress_bar()  # the command line draws its own
diffusers_logging.set_verbosity(diffusers_logging.CRITICAL)  # what it would log as an error is raised as well


def open_builtin(folder: Path, name: str, runtime: Runtime) -> Model:
    """Open a self-contained folder such as the built-in model's. Raises `ModelBroken` naming what is missing or corrupt."""
    facts = _json(folder / "acetate.json")
    if (folder / MEMORY).exists():
        return _open_recalling(folder, name, facts, runtime)
    unet = _part(folder, "unet", UNet2DConditionModel)
    vae = _part(folder, "vae", AutoencoderKL)
    text_encoder = _part(folder, "text_encoder", CLIPTextModel)
    encoder = _network(folder / "transparent_encoder", TransparentEncoder)
    decoder = _network(folder / "transparent_decoder", TransparentDecoder)
    for network in (unet, vae, text_encoder, encoder, decoder):
        network.to(runtime.device).eval().requires_grad_(False)
    for network in (unet, vae, decoder):
        network.to(memory_format=torch.channels_last)
    upsample_conv.double_in(vae)
    codec = LatentOffsetCodec(vae, encoder, decoder, offset_factor=facts["offset_factor"])
    preview = facts["preview"]
    return Model(
        name=name,
        family=SKETCHPAD,
        unet=unet,
        text=PromptEncoder([_part(folder, "tokenizer", CLIPTokenizer)], [text_encoder]),
        codec=codec,
        scheduler_config=_json(folder / "scheduler" / "scheduler_config.json"),
        sizes=WorkingSizes(facts["native"], square_only=facts["square_only"], multiple_of=codec.multiple_of),
        defaults=Defaults(**facts["defaults"]),
        runtime=runtime,
        preview_matrix=torch.tensor([*preview["matrix"], preview["bias"]]),
    )


def _open_recalling(folder: Path, name: str, facts: dict[str, Any], runtime: Runtime) -> Model:
    """A model that draws after its memory, with a codec of its own."""
    unet, text_encoder = _part(folder, "unet", UNet2DConditionModel), _part(folder, "text_encoder", CLIPTextModel)
    parts = {"encoder": PatchEncoder, "decoder": PatchDecoder, "enlarger": Enlarger}
    networks = {part: _network(folder / "codec" / part, kind) for part, kind in parts.items()}
    for network in (unet, text_encoder, *networks.values()):
        network.to(runtime.device).eval().requires_grad_(False)
    for network in (unet, networks["decoder"], networks["enlarger"]):
        network.to(memory_format=torch.channels_last)
    codec = PatchCodec(**networks, scale=facts["scale"])
    preview = facts["preview"]
    return Model(
        name=name,
        family=SKETCHPAD,
        unet=unet,
        text=PromptEncoder([_part(folder, "tokenizer", CLIPTokenizer)], [text_encoder]),
        codec=codec,
        scheduler_config=_json(folder / "scheduler" / "scheduler_config.json"),
        sizes=WorkingSizes(facts["native"], square_only=facts["square_only"], multiple_of=codec.multiple_of),
        defaults=Defaults(**facts["defaults"]),
        runtime=runtime,
        preview_matrix=torch.tensor([*preview["matrix"], preview["bias"]]),
        recall=Recall(folder),
    )


def _part(folder: Path, name: str, kind: Any) -> Any:
    """One component in float32, never from a hub and never from a pickle."""
    options: dict[str, Any] = {} if name == "tokenizer" else {"torch_dtype": torch.float32, "use_safetensors": True}
    if not (folder / name).is_dir():
        raise ModelBroken(f"{folder / name} is missing", "install the program again, or choose another model")
    try:
        return kind.from_pretrained(folder / name, local_files_only=True, **options)
    except Exception as error:  # tokenizers raises bare exceptions, the others OSError, ValueError and their own
        raise ModelBroken(f"{folder / name} cannot be opened: {_first_line(error)}", "install the program again") from error


def _network(folder: Path, kind: type[nn.Module]) -> Any:
    network = kind(**_json(folder / "config.json"))
    path = folder / "model.safetensors"
    try:
        network.load_state_dict(load_file(path), strict=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelBroken(f"{path} cannot be loaded: {_first_line(error)}", "install the program again") from error
    return network.float()


def _json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelBroken(f"{path} cannot be read: {_first_line(error)}", "install the program again") from error
    return value


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
