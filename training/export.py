"""Write the trained networks as a model folder in the form that diffusers and the engine open."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from acetate.engine.builtin import FOLDER
from acetate.engine.families import SKETCHPAD
from diffusers import DDPMScheduler
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .fitting import autoencoder, denoiser, sharing
from .fitting.precision import Trainer
from .pictures import dataset, tokenizer


def write(folder: Path, destination: Path = FOLDER) -> None:
    """Turn `folder`'s checkpoints into a model folder at `destination`."""
    codec, network = load(folder)
    latents = torch.load(folder / "latents.pt", weights_only=True)["latents"]
    with np.load(folder / "pictures.npz") as stored:
        chosen = sample(len(latents))
        preview = preview_of(latents[chosen], torch.from_numpy(dataset.network_form(stored["pictures"][chosen])))
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
    facts = {"family": SKETCHPAD.name, "native": dataset.NATIVE, "square_only": SKETCHPAD.square_only, "offset_factor": 1.0}
    _json(destination / "acetate.json", {**facts, "defaults": asdict(SKETCHPAD.defaults), "preview": preview})


def load(folder: Path) -> tuple[autoencoder.Codec, denoiser.Denoiser]:
    """The trained networks, float32: the codec with its folded statistics, the averaged weights of the denoiser."""
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


def read(folder: Path) -> tuple[autoencoder.Codec, denoiser.Denoiser]:
    """The networks of an exported folder, float32, to be trained further: folded statistics stay, stretched alpha does not."""
    codec = autoencoder.Codec()
    codec.vae.load_state_dict(load_file(folder / "vae" / "diffusion_pytorch_model.safetensors"))
    codec.encoder.load_state_dict(load_file(folder / "transparent_encoder" / "model.safetensors"))
    codec.decoder.load_state_dict(load_file(folder / "transparent_decoder" / "model.safetensors"))
    autoencoder.unstretch_alpha(codec.decoder)
    words = tokenizer.kept(folder / "tokenizer")
    network = denoiser.Denoiser(len(words), words.bos_token_id, words.eos_token_id)
    network.unet.load_state_dict(load_file(folder / "unet" / "diffusion_pytorch_model.safetensors"))
    network.text_encoder.load_state_dict(load_file(folder / "text_encoder" / "model.safetensors"))
    return codec.eval(), network.eval()


def sample(pictures: int) -> NDArray[np.int64]:
    """Indices of the pictures that the preview is fitted to, `(n,)`."""
    return np.random.default_rng(0).choice(pictures, min(1500, pictures), replace=False)


def preview_of(latents: Tensor, data: Tensor) -> dict[str, Any]:
    """Least-squares RGBA at 1/8 size from latents, `(N, C, h, w)`: free, and good enough to watch a layer form.

    `data`, `(N, 4, H, W)` uint8, is what `network_form` made of the pictures; it is premultiplied here.
    """
    alpha, colour = data[:, :1].float() / 255, data[:, 1:].float() / 255
    wanted = F.avg_pool2d(torch.cat([colour * alpha, alpha], dim=1), 8).permute(0, 2, 3, 1).reshape(-1, 4)
    known = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    known = torch.cat([known, torch.ones(len(known), 1)], dim=1)
    fitted = torch.linalg.lstsq(known, wanted).solution
    return {"matrix": fitted[:-1].tolist(), "bias": fitted[-1].tolist()}


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
