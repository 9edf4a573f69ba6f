"""A model that draws after its memory, written as a folder that the engine opens, and read back to be trained further."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from acetate.engine.builtin import FOLDER
from acetate.engine.families import SKETCHPAD
from acetate.engine.sketch.memory import MEMORY
from acetate.engine.sketch.networks import Enlarger, PatchDecoder, PatchEncoder
from acetate.engine.sketch.phrases import WORDS
from diffusers import DDPMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn

from .fitting import denoiser, patch_codec, recalling
from .fitting.precision import Trainer
from .pictures.dataset import NATIVE

GUIDANCE = 1.5
"""More brings out colours that only the words tell, and hardens outlines."""


def codec(folder: Path) -> tuple[PatchEncoder, PatchDecoder]:
    """The codec as far as it is trained. Raises `FileNotFoundError` where it is not."""
    state = torch.load(folder / "patch_codec.pt", weights_only=True)
    encoder, decoder = PatchEncoder(patch_codec.LATENT_CHANNELS), PatchDecoder(patch_codec.LATENT_CHANNELS)
    encoder.load_state_dict(state["encoder"])
    decoder.load_state_dict(state["decoder"])
    return encoder.eval(), decoder.eval()


def enlarger(folder: Path) -> Enlarger:
    """The enlarger; one that interpolates, where none is trained yet."""
    network = Enlarger()
    nn.init.zeros_(cast(nn.Conv2d, network.detail[-2]).weight)
    nn.init.zeros_(cast(Any, network.detail[-2]).bias)
    if (folder / "enlarging.pt").exists():
        network.load_state_dict(torch.load(folder / "enlarging.pt", weights_only=True)["network"])
    return network.eval()


def unet(folder: Path) -> UNet2DConditionModel:
    """The averaged weights of the denoiser."""
    trainer = Trainer(recalling.network(), folder / "recalling.pt", peak=0, average=recalling.AVERAGE, arithmetic=torch.float32)
    return cast(UNet2DConditionModel, trainer.averaged).eval()


def write(folder: Path, destination: Path) -> None:
    """Put everything that `folder` holds together at `destination`, where memory and words may lie already, in float16."""
    save(destination, unet(folder), *codec(folder), enlarger(folder))


def save(destination: Path, unet: UNet2DConditionModel, encoder: PatchEncoder, decoder: PatchDecoder, enlarger: Enlarger) -> None:
    """Write networks, the text encoder of the package's model, and what the engine has to know of them, in float16."""
    unet.half().save_pretrained(destination / "unet")
    for part in ("text_encoder", "tokenizer"):
        shutil.copytree(FOLDER / part, destination / part, dirs_exist_ok=True)
    for name, network in (("encoder", encoder), ("decoder", decoder), ("enlarger", enlarger)):
        _save(destination / "codec" / name, network, network.sizes)
    DDPMScheduler(**denoiser.SCHEDULER).save_pretrained(destination / "scheduler")
    preview = {
        "matrix": (decoder.linear.weight.mean((2, 3)) / recalling.SCALE).tolist(),
        "bias": cast(torch.Tensor, decoder.linear.bias).tolist(),
    }
    facts = {"family": SKETCHPAD.name, "native": NATIVE, "square_only": True, "scale": recalling.SCALE}
    defaults = {**asdict(SKETCHPAD.defaults), "guidance_scale": GUIDANCE}
    _json(destination / "acetate.json", {**facts, "defaults": defaults, "preview": preview})


def unpack(source: Path, folder: Path) -> None:
    """Write checkpoints to `folder` from which training goes on after the model at `source`, where nothing else of it is left.

    Steps count from none again, so that the pace of learning begins gently. Raises `FileExistsError` where checkpoints lie.
    """
    if taken := [path.name for path in folder.glob("*.pt")]:
        raise FileExistsError(f"{folder} holds {', '.join(taken)}")
    network = UNet2DConditionModel.from_pretrained(source / "unet", dtype=torch.float32).state_dict()
    torch.save({"network": network, "averaged": network, "done": 0}, folder / "recalling.pt")
    encoder, decoder, enlarged = (_weights(source / "codec" / part) for part in ("encoder", "decoder", "enlarger"))
    torch.save({"encoder": encoder, "decoder": decoder, "done": 0}, folder / "patch_codec.pt")
    torch.save({"network": enlarged, "done": 0}, folder / "enlarging.pt")
    (folder / "model").mkdir(exist_ok=True)
    for name in (MEMORY, WORDS):
        shutil.copy(source / name, folder / "model" / name)


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}


def _save(folder: Path, network: nn.Module, config: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in network.state_dict().items()}, folder / "model.safetensors")
    _json(folder / "config.json", config)


def _json(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
