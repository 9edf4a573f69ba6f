"""Write the trained networks as a model folder in the form that diffusers and the engine open."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from ...alpha import resample, to_float
from .. import FOLDER
from . import autoencoder, dataset, denoiser, sharing, tokenizer
from .precision import Trainer

DEFAULTS = {"steps": 20, "guidance_scale": 3.0, "scheduler": "dpmpp-2m-karras", "alpha_passes": 1}


def write(folder: Path, destination: Path = FOLDER) -> None:
    """Turn `folder`'s checkpoints into a model folder at `destination`."""
    codec, network = load(folder)
    latents = torch.load(folder / "latents.pt", weights_only=True)["latents"]
    with np.load(folder / "pictures.npz") as stored:
        preview = _preview(latents, stored["pictures"])
    save(destination, codec, network, preview)
    shutil.copytree(folder / "tokenizer", destination / "tokenizer", dirs_exist_ok=True)
    for role in sharing.FILES:
        if sharing.checkpoint(folder, role).exists():
            sharing.write(sharing.load(network, folder, role), destination / "layers" / f"{role}.safetensors")


def save(destination: Path, codec: autoencoder.Codec, network: denoiser.Denoiser, preview: dict[str, Any]) -> None:
    """Write float16 safetensors and configurations."""
    codec.vae.register_to_config(scaling_factor=1.0)
    for name, part in (("unet", network.unet), ("vae", codec.vae), ("text_encoder", network.text_encoder)):
        part.half().save_pretrained(destination / name)
    encoder = {"latent_channels": autoencoder.LATENT_CHANNELS, "channels": autoencoder.ENCODER_CHANNELS}
    _save(destination / "transparent_encoder", codec.encoder, encoder)
    decoder = {"latent_channels": autoencoder.LATENT_CHANNELS, "channels": autoencoder.DECODER_CHANNELS, "attention_levels": 1}
    _save(destination / "transparent_decoder", codec.decoder, decoder)
    DDPMScheduler(**denoiser.SCHEDULER).save_pretrained(destination / "scheduler")
    _json(destination / "model_index.json", _index())
    facts = {"family": "sketchpad", "native": dataset.NATIVE, "square_only": True, "offset_factor": 1.0}
    _json(destination / "acetate.json", {**facts, "defaults": DEFAULTS, "preview": preview})


def load(folder: Path) -> tuple[autoencoder.Codec, denoiser.Denoiser]:
    """The trained networks, float32: the codec with what is folded into it, the averaged weights of the denoiser."""
    trained = next(path for path in (folder / "decoders.pt", folder / "codec.pt") if path.exists())
    codec = Trainer(autoencoder.Codec(), trained, peak=0, steps=1).network
    words = tokenizer.kept(folder / "tokenizer")
    fresh = denoiser.Denoiser(len(words), words.bos_token_id, words.eos_token_id)
    averaged = Trainer(fresh, folder / "denoiser.pt", peak=0, steps=1, average=0.9995).averaged
    assert isinstance(codec, autoencoder.Codec)
    assert isinstance(averaged, denoiser.Denoiser)
    kept = torch.load(folder / "latents.pt", weights_only=True)
    autoencoder.fold_statistics(codec, kept["mean"], kept["std"])
    autoencoder.stretch_alpha(codec.decoder)
    return codec.eval(), averaged.eval()


def _preview(latents: Tensor, pictures: NDArray[np.uint8], sample: int = 1500) -> dict[str, Any]:
    """Least-squares RGBA at 1/8 size from latents: free, and good enough to watch a layer form."""
    chosen = np.random.default_rng(0).choice(len(pictures), sample, replace=False)
    small = [resample(_premultiplied(pictures[i]), dataset.NATIVE // 8, dataset.NATIVE // 8, "area") for i in chosen]
    wanted = torch.from_numpy(np.stack(small)).reshape(-1, 4)
    known = latents[torch.from_numpy(chosen)].permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    known = torch.cat([known, torch.ones(len(known), 1)], dim=1)
    fitted = torch.linalg.lstsq(known, wanted).solution
    return {"matrix": fitted[:-1].tolist(), "bias": fitted[-1].tolist()}


def _premultiplied(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    straight = to_float(rgba)
    return np.concatenate([straight[..., :3] * straight[..., 3:], straight[..., 3:]], axis=2)


def _index() -> dict[str, Any]:
    return {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDPMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
    }


def _save(folder: Path, network: nn.Module, config: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(state, folder / "model.safetensors")
    _json(folder / "config.json", config)


def _json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
