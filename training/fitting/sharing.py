"""Train the attention-sharing weights: layers of one picture that see each other, in the roles of SD 1.5's files.

The UNet stays as it is. What is learnt has the published keys, and the engine's own units compute with it, so that nothing but
the numbers differs from the large models.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from acetate.engine.families import SKETCHPAD
from acetate.engine.layerdiffuse.attention_sharing import UNIT_PREFIX, AttentionSharing, attention_layers
from acetate.engine.layerdiffuse.attention_unit import AttentionSharingUnit, projections
from acetate.engine.layerdiffuse.control_encoder import PREFIX as ENCODER_PREFIX
from acetate.engine.layerdiffuse.control_encoder import ControlEncoder, control_tokens
from acetate.engine.pixels.alpha import over_grey
from acetate.engine.values.recipes import Recipe
from acetate.raster import to_float
from diffusers import DDPMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPTokenizer

from ..pictures import captions, dataset, tokenizer
from . import denoiser
from .autoencoder import Codec, latents_of
from .precision import Trainer

RANK = 32
CONTROL_CHANNELS = (16, 32, 64, 64)
AVERAGE = 0.999
LEVELS = 3
"""Resolutions of the UNet, each with its features of the control image."""
LAYERS = ("foreground", "background", "blended")
FILES: Mapping[str, Recipe] = {
    recipe.weights: recipe for recipes in SKETCHPAD.recipes.values() for recipe in recipes if recipe.sharing and recipe.weights
}
"""Role of a weight file -> the run that it is for."""


@dataclass(frozen=True)
class Scenes:
    """Subjects before backgrounds, with the layers that make them up."""

    names: list[tuple[str, str]]
    """Subject and place of each scene."""
    latents: dict[str, Tensor]
    """Layer -> `(N, C, h, w)`."""
    over_grey: dict[str, Tensor]
    """Layer -> `(N, 3, H, W)` uint8, as control images are given."""

    @classmethod
    def render(cls, codec: Codec, size: int, seed: int = 0) -> Scenes:
        """Every subject before every background, once."""
        rng = np.random.default_rng(seed)
        names = dataset.scenes()
        pictures: dict[str, list[NDArray[np.uint8]]] = {layer: [] for layer in LAYERS}
        for subject, place in names:
            for layer, picture in zip(LAYERS, dataset.scene(subject, place, size, rng), strict=True):
                pictures[layer].append(picture)
        stacks = {layer: np.stack(pictures[layer]) for layer in LAYERS}
        return cls(names, {layer: latents_of(codec, stacks[layer]) for layer in LAYERS}, {k: _grey(v) for k, v in stacks.items()})


class Units(nn.Module):
    """One weight file in training: the published tensors as parameters, by their published names with `/` for `.`."""

    def __init__(self, unet: UNet2DConditionModel, recipe: Recipe) -> None:
        super().__init__()
        self.frames, self.controlled = len(recipe.frames), bool(recipe.conditions)
        self.values = nn.ParameterDict()
        for index, layer in enumerate(attention_layers(unet)):
            for name, linear in projections(layer.module).items():
                for frame in range(self.frames):
                    down = torch.randn(RANK, linear.in_features) / linear.in_features**0.5
                    self._add(index, f"{name}_lora.{frame}.down.weight", down)
                    self._add(index, f"{name}_lora.{frame}.up.weight", torch.zeros(linear.out_features, RANK))
            self._add_temporal(index, projections(layer.module)["to_q"].out_features)
        self.encoder = ControlEncoder(CONTROL_CHANNELS, LEVELS) if self.controlled else None

    def _add_temporal(self, index: int, width: int) -> None:
        self._add(index, "temporal_n.weight", torch.ones(width))
        self._add(index, "temporal_n.bias", torch.zeros(width))
        for name in "iqkvo":
            start = torch.eye(width) if name == "i" else torch.randn(width, width) / width**0.5
            self._add(index, f"temporal_{name}.weight", torch.zeros(width, width) if name == "o" else start)
            self._add(index, f"temporal_{name}.bias", torch.zeros(width))
        for frame in range(self.frames if self.controlled else 0):
            deep = CONTROL_CHANNELS[-1]
            self._add(index, f"control_convs.{frame}.0.weight", torch.randn(deep, deep, 3, 3) / (9 * deep) ** 0.5)
            self._add(index, f"control_convs.{frame}.0.bias", torch.zeros(deep))
            self._add(index, f"control_convs.{frame}.2.weight", torch.zeros(width, deep, 1, 1))
            self._add(index, f"control_convs.{frame}.2.bias", torch.zeros(width))

    def _add(self, index: int, key: str, value: Tensor) -> None:
        self.values[f"{index}.{key}".replace(".", "/")] = nn.Parameter(value)

    def published(self) -> dict[str, Tensor]:
        """The tensors as a weight file has them, of the published shapes."""
        weights = {UNIT_PREFIX + key.replace("/", "."): value.detach() for key, value in self.values.items()}
        if self.encoder is not None:
            weights |= {ENCODER_PREFIX + key: value.detach() for key, value in self.encoder.state_dict().items()}
        return weights

    def of(self, index: int) -> dict[str, Tensor]:
        """One unit's tensors, of the published shapes; gradients flow back to the parameters."""
        prefix = f"{index}/"
        return {k.removeprefix(prefix).replace("/", "."): v for k, v in self.values.items() if k.startswith(prefix)}

    def bind(self, unet: UNet2DConditionModel, control: Tensor | None) -> None:
        """Let the engine's units compute, differentiably, with these parameters and the image `control`, `(B, 3, H, W)`."""
        features = self.encoder(control) if self.encoder is not None else ()
        for index, layer in enumerate(attention_layers(unet)):
            unit, weights = cast(AttentionSharingUnit, layer.module.get_processor()), self.of(index)
            for name, linear in projections(layer.module).items():
                ups, downs = (
                    torch.stack([weights[f"{name}_lora.{f}.{part}.weight"] for f in range(self.frames)])
                    for part in ("up", "down")
                )
                _assign(unit.get_submodule(name), weight=linear.weight + ups @ downs)
            _bind_temporal(unit.temporal, weights)
            if features:
                tokens = [control_tokens(features[layer.level], weights, frame) for frame in range(self.frames)]
                unit.control = torch.stack(tokens, 1)


def _bind_temporal(temporal: nn.Module, weights: dict[str, Tensor]) -> None:
    """`temporal_i` is multiplied into q, k and v, as the engine does."""
    _assign(temporal.get_submodule("norm"), weight=weights["temporal_n.weight"], bias=weights["temporal_n.bias"])
    inner, shift = weights["temporal_i.weight"], weights["temporal_i.bias"]
    for name in "qkv":
        outer = weights[f"temporal_{name}.weight"]
        bias = outer @ shift + weights[f"temporal_{name}.bias"]
        _assign(temporal.get_submodule(f"to_{name}"), weight=outer @ inner, bias=bias)
    _assign(temporal.get_submodule("to_out"), weight=weights["temporal_o.weight"], bias=weights["temporal_o.bias"])


def _assign(module: nn.Module, **tensors: Tensor) -> None:
    """Replace parameters by tensors that are not leaves."""
    for name, tensor in tensors.items():
        module._parameters.pop(name, None)
        object.__setattr__(module, name, tensor)  # a module's own would make a parameter of it


def train(codec: Codec, network: denoiser.Denoiser, folder: Path, role: str, steps: int, batch_size: int = 12) -> Units:
    """Train one file up to `steps`, going on from its checkpoint if it exists."""
    recipe, words = FILES[role], tokenizer.kept(folder / "tokenizer")
    network = network.eval().requires_grad_(False)
    unet = network.unet.to(torch.bfloat16, memory_format=torch.channels_last)
    trainer = Trainer(Units(network.unet, recipe), checkpoint(folder, role), peak=6e-4, steps=steps, average=AVERAGE)
    fast = cast(Units, trainer.fast)
    AttentionSharing(unet, fast.published())
    scenes = _cached_scenes(codec, folder)
    noise_levels = DDPMScheduler(**denoiser.SCHEDULER).alphas_cumprod
    clean = torch.stack([scenes.latents[layer] for layer in recipe.frames], 1)
    started, first, running = time.monotonic(), trainer.done, 0.0
    while trainer.done < steps:
        rng = np.random.default_rng(trainer.done)
        chosen = rng.choice(len(scenes.names), batch_size)
        context = _context(network, words, scenes, chosen, recipe, rng)
        control = scenes.over_grey[recipe.conditions[0]][chosen].to(torch.bfloat16) / 127.5 - 1 if recipe.conditions else None
        fast.bind(unet, control)
        generator = torch.Generator().manual_seed(trainer.done)
        loss = denoiser.loss_of(unet, clean[chosen], context, noise_levels, generator)
        trainer.step(loss)
        running = 0.98 * running + 0.02 * loss.item()
        if trainer.done % 100 == 0:
            pace, weight = (time.monotonic() - started) / (trainer.done - first), 1 - 0.98 ** (trainer.done - first)
            print(f"{role} {trainer.done}/{steps} loss {running / weight:.4f} {pace:.3f} s/step", flush=True)
        if trainer.done % 500 == 0 or trainer.done == steps:
            trainer.save()
    return cast(Units, trainer.averaged).eval()


def checkpoint(folder: Path, role: str) -> Path:
    """Where a role's training is kept."""
    return folder / f"{role}.pt"


def load(network: denoiser.Denoiser, folder: Path, role: str) -> Units:
    """The units of a role, as far as they are trained."""
    fresh = Units(network.unet, FILES[role])
    return cast(Units, Trainer(fresh, checkpoint(folder, role), peak=0, steps=1, average=AVERAGE).averaged)


def read(units: Units, path: Path) -> None:
    """Load the weights that `write` wrote."""
    given = load_file(path)
    with torch.no_grad():
        for key, value in units.values.items():
            value.copy_(given[UNIT_PREFIX + key.replace("/", ".")])
    if units.encoder is not None:
        below = {key.removeprefix(ENCODER_PREFIX): value for key, value in given.items() if key.startswith(ENCODER_PREFIX)}
        units.encoder.load_state_dict(below)


def write(units: Units, path: Path) -> None:
    """Write the weights as float16 safetensors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in units.published().items()}, path)


@torch.no_grad()
def _context(
    network: denoiser.Denoiser,
    words: CLIPTokenizer,
    scenes: Scenes,
    chosen: NDArray[np.int64],
    recipe: Recipe,
    rng: np.random.Generator,
) -> Tensor:
    """Prompts of all frames, encoded, `(pictures * frames, tokens, width)`."""
    texts = [text for subject, place in (scenes.names[i] for i in chosen) for text in prompts(subject, place, recipe, rng)]
    return cast(Tensor, network.text_encoder(tokenizer.tokens(words, texts)).last_hidden_state).to(torch.bfloat16)


def prompts(subject: str, place: str, recipe: Recipe, rng: np.random.Generator) -> list[str]:
    """The prompts of all frames of one scene: mostly one for the whole, else each frame's own."""
    whole, fate = captions.of_scene(subject, place, rng), rng.random()
    own = {"foreground": captions.of_subject(subject, None, rng), "background": captions.of_background(place, rng)}
    if fate < denoiser.UNCONDITIONAL:
        return [""] * len(recipe.frames)
    if fate < 0.55:
        return [whole] * len(recipe.frames)
    if fate < 0.75:
        return [own["foreground" if "foreground" in recipe.frames else "background"]] * len(recipe.frames)
    return [own.get(layer, whole) for layer in recipe.frames]


def _cached_scenes(codec: Codec, folder: Path) -> Scenes:
    path = folder / "scenes.pt"
    if not path.exists():
        scenes = Scenes.render(codec, 128)
        torch.save({"names": scenes.names, "latents": scenes.latents, "over_grey": scenes.over_grey}, path)
    return Scenes(**torch.load(path, weights_only=True))


def _grey(pictures: NDArray[np.uint8]) -> Tensor:
    flat = np.stack([over_grey(to_float(picture)) for picture in pictures])
    return torch.from_numpy((flat * 255 + 0.5).astype(np.uint8)).permute(0, 3, 1, 2).contiguous()
