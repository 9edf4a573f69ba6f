"""What a family of base models states about itself: facts as data, and functions over names and shapes of tensors.

Knows tasks and recipes; knows no torch and opens no file. `models` opens networks by these facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NewType, Protocol

from acetate.vocabulary.parameters import FLOW_SCHEDULERS, SCHEDULERS, Passes
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.working_sizes import NativeSizes

from ..values.recipes import Recipe

FamilyName = NewType("FamilyName", str)
"""What the wire, the catalogue and the command line call a family."""


class Header(Protocol):
    """What a file of weights says of itself (`files.headers`)."""

    @property
    def tensors(self) -> Mapping[str, Any]: ...

    @property
    def metadata(self) -> Mapping[str, str]: ...

    def shape(self, name: str) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Defaults:
    """The values of a request that does not state them."""

    steps: int
    guidance_scale: float
    scheduler: str
    alpha_passes: Passes


@dataclass(frozen=True)
class TextEncoder:
    """One of a family's CLIP text encoders, in the order in which their widths are concatenated."""

    prefix: str
    """Prefix of its tensors' names in a checkpoint."""
    suffix: str = ""
    """Suffix of its subfolders' names in a diffusers folder, `text_encoder` and `tokenizer`."""
    open_clip: bool = False
    """Trained by OpenCLIP: the names in a checkpoint are that program's, and it gives the pooled embedding."""

    @property
    def padding(self) -> str:
        """The token that fills a prompt up: the end token, with OpenCLIP the one of id 0."""
        return "!" if self.open_clip else "<|endoftext|>"


@dataclass(frozen=True, kw_only=True, eq=False)
class Family:
    """All that is particular to one family of base models."""

    bundled: ClassVar[bool] = True
    """A model has LayerDiffuse's networks and weights inside: it takes no other file, and no LoRA."""

    name: FamilyName
    title: str
    """The name that sentences use."""
    native: int
    """Side in pixels of the pictures it was trained on."""
    square_only: bool = False
    """It draws squares of that side alone."""
    smallest: float = 0.5
    largest: float = 2.25
    """The least and the most area that it draws well, as shares of `native` squared."""
    defaults: Defaults
    recipes: Mapping[str, tuple[Recipe, ...]]
    """The denoising runs of each task. Those of `blend` are alternatives, by the condition that is given."""
    unet_activations: int
    """Bytes per sample and megapixel (2^20 pixels of the picture), at 16 bit (performance.md 7)."""
    kept: int = 0
    """Bytes per sample and megapixel of the pictures that it is shown, which stay from the first step on, at 16 bit."""
    steps_table: str = "StableDiffusion"
    """Whose Align Your Steps table fits it: the beginning of its name in diffusers."""
    text_layer: int = -1
    """Which hidden state of the text encoders the UNet reads, -1 the last (CLIP skip 2 is -2)."""
    opaque: bool = True
    """It can redraw opaque colour, and not transparent layers alone."""

    @property
    def sizes(self) -> NativeSizes:
        """The sizes at which its models draw well."""
        return NativeSizes(self.native, self.smallest, self.largest, square_only=self.square_only)

    @property
    def schedulers(self) -> tuple[str, ...]:
        """The samplers that its models are drawn with."""
        return SCHEDULERS

    def can(self, task: str) -> bool:
        """Whether the family has weights for `task`."""
        return TASKS[task].enlarges or drawn_as(task) in self.recipes


@dataclass(frozen=True, kw_only=True, eq=False)
class BaseFamily(Family):
    """A family whose models are files that artists have: how these are told from others, and how they are read."""

    bundled = False

    article: str
    """The article before the title."""

    is_checkpoint: Callable[[Header], bool]
    """Whether a checkpoint's UNet has the family's structure."""
    unsuitable: Callable[[Header], str]
    """What a checkpoint is that is not for text to image, such as `an inpainting checkpoint`; empty where it is."""
    pipelines: re.Pattern[str]
    """Matches diffusers' classes for it in a folder's `model_index.json`."""
    is_folder: Callable[[Mapping[str, Any]], bool]
    """Whether the configuration of a folder's UNet is the family's."""
    unsuitable_folder: Callable[[Path, Mapping[str, Any]], str]
    """As `unsuitable`, for a folder and its UNet's configuration."""

    layerdiffuse_key: re.Pattern[str]
    """Occurs in the tensors' names of its LayerDiffuse weights."""
    layerdiffuse_weights: str = "LayerDiffuse weights"
    """What a file of them is called."""
    lora_key: re.Pattern[str]
    """Matches a tensor's name in LoRAs of its text encoders, as kohya's trainer spells them: where several families fit alike."""
    lora_noted: re.Pattern[str]
    """Occurs in what trainers note of the base model, in the metadata of its LoRAs."""
    vae_name: str = ""
    """Part of its VAE files' names, in lower case."""

    text_encoders: tuple[TextEncoder, ...]
    text_normalised: bool = True
    """Whether their final norm is applied to it."""
    latent_colours: tuple[tuple[float, float, float], ...]
    """A linear fit of latents to RGB in [-1, 1], the last row the constant; enough for a preview."""

    @property
    def essential(self) -> tuple[str, ...]:
        """Catalogue roles that the family's name stands for: enough for `foreground`, `refine`, `repaint` and `upscale`."""
        weights = (recipe.weights for recipe in self.recipes["foreground"] if recipe.weights is not None)
        return ("checkpoint", *weights, "transparent-decoder", "transparent-encoder")


@dataclass(frozen=True, kw_only=True, eq=False)
class NativeFamily(Family):
    """A family whose networks draw RGBA by themselves, by flow matching: no LayerDiffuse, and no LoRA of other families."""

    article: str
    licence: str
    """What its files may be used for, in a phrase."""
    pipelines: re.Pattern[str]
    """Matches diffusers' classes for it in a folder's `model_index.json`."""
    asking: str
    """The authors' own words that ask for transparency, around the prompt."""

    @property
    def schedulers(self) -> tuple[str, ...]:
        return FLOW_SCHEDULERS


def drawn_as(task: str) -> str:
    """The task whose recipes `task` uses: a layer is changed by the same run that draws one."""
    row = TASKS[task]
    return "foreground" if row.keeps_size and not row.instructed else task
