"""LayerDiffuse for SD 1.5: units that let the layers of one picture see each other (layerdiffuse.md 4).

Knows the published files' keys and a diffusers UNet's attention layers; knows no prompt, no sampler and no picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple, cast

import torch
from diffusers.models.attention_processor import Attention, AttentionProcessor, AttnProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from ..files.weight_files import listed, shapes_of
from ..values.errors import ModelBroken
from .attention_unit import AttentionSharingUnit, projections
from .control_encoder import PREFIX as ENCODER_PREFIX
from .control_encoder import ControlEncoder, control_tokens

UNIT_PREFIX = "hookers.layers."


class AttentionSharing:
    """The units of one weight file, installed in `unet` until `remove()`.

    The batch holds whole pictures, element `image * frames + frame`; each frame's prompt is that element of
    `encoder_hidden_states`. The UNet's own attention weights must be final before (LoRAs merged): the units keep a merged
    copy per frame. Install before offloading or compiling is set up, as the units are submodules of the UNet.

    `state_dict` may be a `WeightFile`; its units are read one after another.
    """

    def __init__(self, unet: UNet2DConditionModel, state_dict: Mapping[str, Tensor]) -> None:
        layers = list(attention_layers(unet))
        shapes = shapes_of(state_dict)
        self.frames = _frame_count(shapes)
        """Layers per picture: the batch is a multiple of it."""
        encoder_weights = _below(state_dict, ENCODER_PREFIX)
        self._encoder = ControlEncoder.load(encoder_weights) if encoder_weights else None
        self.needs_control = self._encoder is not None
        """Whether `set_control` has to be called before the UNet runs."""
        _check_unet(layers)
        _check(layers, shapes, self.frames, self._encoder)
        self._controls: list[tuple[AttentionSharingUnit, int, dict[str, Tensor]]] = []
        self._replaced: list[tuple[Attention, AttentionProcessor]] = []
        try:
            for index, layer in enumerate(layers):
                self._install(layer, _below(state_dict, f"{UNIT_PREFIX}{index}."))
        except BaseException:
            self.remove()
            raise

    def _install(self, layer: AttentionLayer, weights: dict[str, Tensor]) -> None:
        unit = AttentionSharingUnit(layer.module, weights, self.frames, controlled=self.needs_control).eval()
        self._replaced.append((layer.module, layer.module.get_processor()))
        layer.module.set_processor(cast("AttnProcessor", unit))  # diffusers' annotation is narrower than its contract
        if self.needs_control:
            convolutions = {key: tensor for key, tensor in weights.items() if key.startswith("control_convs.")}
            self._controls.append((unit, layer.level, convolutions))

    @torch.no_grad()
    def set_control(self, image: Tensor) -> None:
        """Condition every following step on `image`, `(1, 3, H, W)` in [0, 1], RGBA composited over mid-grey by the caller.

        H and W are those of the generated picture. The features are computed here, once, in fp32 and on the image's device.
        Raises `ValueError` for another shape, or where the weights take no control image.
        """
        if self._encoder is None:
            raise ValueError("these weights take no control image")
        multiple = self._encoder.multiple_of
        if image.ndim != 4 or image.shape[:2] != (1, 3) or image.shape[2] % multiple or image.shape[3] % multiple:
            right = f"(1, 3, H, W) with H and W multiples of {multiple}"
            raise ValueError(f"the control image is {tuple(image.shape)}; {right} would be right")
        features = self._encoder.to(image.device)(image.float() * 2 - 1)
        for unit, level, weights in self._controls:
            tokens = [control_tokens(features[level], weights, frame) for frame in range(self.frames)]
            unit.control = torch.stack(tokens, 1).to(unit.to_q.weight)  # (1, F, d, C)
        self._encoder.to("cpu")

    def remove(self) -> None:
        """Put the UNet's own attention processors back; doing it twice does nothing."""
        while self._replaced:
            module, processor = self._replaced.pop()
            module.set_processor(cast("AttnProcessor", processor))
        self._controls.clear()


class AttentionLayer(NamedTuple):
    """One `attn1` or `attn2` of a UNet."""

    name: str
    module: Attention
    level: int
    """How many times the latents were halved before it."""


def attention_layers(unet: UNet2DConditionModel) -> Iterator[AttentionLayer]:
    """The attention layers in the published order of the units: all the way down, all the way up, the middle last."""
    level = 0
    for index, block in enumerate(unet.get_submodule("down_blocks").children()):
        yield from _layers_of(f"down_blocks.{index}", block, level)
        level += getattr(block, "downsamplers", None) is not None
    middle = level
    for index, block in enumerate(unet.get_submodule("up_blocks").children()):
        yield from _layers_of(f"up_blocks.{index}", block, level)
        level -= getattr(block, "upsamplers", None) is not None
    if isinstance(middle_block := getattr(unet, "mid_block", None), nn.Module):
        yield from _layers_of("mid_block", middle_block, middle)


def _layers_of(prefix: str, block: nn.Module, level: int) -> Iterator[AttentionLayer]:
    for name, module in block.named_modules(prefix=prefix):
        if isinstance(module, Attention) and name.endswith((".attn1", ".attn2")):
            yield AttentionLayer(name, module, level)


def _frame_count(shapes: Mapping[str, tuple[int, ...]]) -> int:
    found = (re.fullmatch(r"hookers\.layers\.\d+\.to_q_lora\.(\d+)\.down\.weight", key) for key in shapes)
    frames = {int(match[1]) for match in found if match}
    if not frames:
        keys = listed(shapes, 3) or "no keys at all"
        raise ModelBroken(f"these are not attention-sharing weights: they have {keys}, and none that begins with {UNIT_PREFIX!r}")
    return max(frames) + 1


def _check_unet(layers: list[AttentionLayer]) -> None:
    for layer in layers:
        processor = layer.module.get_processor()
        if isinstance(processor, nn.Module):
            raise ValueError(f"{layer.name} already has the processor {type(processor).__name__}; remove it first")
        if not all(isinstance(linear, nn.Linear) for linear in projections(layer.module).values()):
            raise ValueError(f"{layer.name} has wrapped projections; merge LoRAs into the weights before attention sharing")


def _check(
    layers: list[AttentionLayer], shapes: Mapping[str, tuple[int, ...]], frames: int, encoder: ControlEncoder | None
) -> None:
    """Raise unless the file has exactly the tensors that these attention layers need, each of the right shape."""
    units = {key.split(".")[2] for key in shapes if key.startswith(UNIT_PREFIX)}
    if len(units) != len(layers):
        raise ModelBroken(f"the weights have {len(units)} attention-sharing units, the UNet has {len(layers)} attention layers")
    if encoder is not None and (deepest := max(layer.level for layer in layers)) >= encoder.levels:
        raise ModelBroken(f"the control encoder has {encoder.levels} levels, the UNet needs {deepest + 1}")
    expected = {
        f"{UNIT_PREFIX}{index}.{key}": shape
        for index, layer in enumerate(layers)
        for key, shape in _unit_shapes(layer.module, f"{UNIT_PREFIX}{index}.", shapes, frames, encoder).items()
    }
    given = {key: shape for key, shape in shapes.items() if not key.startswith(ENCODER_PREFIX)}
    if missing := expected.keys() - given.keys():
        raise ModelBroken(f"the attention-sharing weights lack {listed(missing)}")
    if unknown := given.keys() - expected.keys():
        raise ModelBroken(f"the attention-sharing weights have unknown keys: {listed(unknown)}")
    if wrong := [f"{key} is {given[key]} instead of {shape}" for key, shape in expected.items() if given[key] != shape]:
        raise ModelBroken(f"the attention-sharing weights do not fit the UNet: {listed(wrong)}")


def _unit_shapes(
    attention: Attention, prefix: str, shapes: Mapping[str, tuple[int, ...]], frames: int, encoder: ControlEncoder | None
) -> dict[str, tuple[int, ...]]:
    """One unit's tensors (layerdiffuse.md 4.2); the ranks and the width inside `control_convs` are the file's own choice."""

    def own_width(key: str) -> int:
        return shapes.get(prefix + key, (0,))[0]

    layers = projections(attention)
    width = layers["to_q"].out_features
    expected: dict[str, tuple[int, ...]] = {"temporal_n.weight": (width,), "temporal_n.bias": (width,)}
    for name in "iqkvo":
        expected |= {f"temporal_{name}.weight": (width, width), f"temporal_{name}.bias": (width,)}
    for frame, (name, layer) in product(range(frames), layers.items()):
        rank = own_width(f"{name}_lora.{frame}.down.weight")
        expected[f"{name}_lora.{frame}.down.weight"] = (rank, layer.in_features)
        expected[f"{name}_lora.{frame}.up.weight"] = (layer.out_features, rank)
    if encoder is None:
        return expected
    for frame in range(frames):
        hidden = own_width(f"control_convs.{frame}.0.weight")
        expected[f"control_convs.{frame}.0.weight"] = (hidden, encoder.width, 3, 3)
        expected[f"control_convs.{frame}.0.bias"] = (hidden,)
        expected[f"control_convs.{frame}.2.weight"] = (width, hidden, 1, 1)
        expected[f"control_convs.{frame}.2.bias"] = (width,)
    return expected


def _below(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): weights[key] for key in weights if key.startswith(prefix)}
