"""How strong a LoRA is in a layer: by network, and by block. Knows tags and names of layers; knows no value of a weight."""

from __future__ import annotations

import re

from ..adapters.lora_names import Layer
from ..families.ldm_names import ldm_paths
from ..families.structure import Structure
from ..values.lora_tag import BLOCK_NAMES, LoraTag

_BLOCK = re.compile(r"(?:(?P<side>in|out)put_blocks\.(?P<number>\d+)|(?P<middle>middle_block))\.")


def strength(tag: LoraTag, layer: Layer) -> float:
    """What the change of `layer` is multiplied by.

    A block that a list of weights has no name for, and what belongs to no block, keeps the UNet's weight.
    """
    network, path = layer
    blocks = dict(zip(BLOCK_NAMES[len(tag.block_weights)], tag.block_weights, strict=True)) if tag.block_weights else {}
    if network:
        return tag.text_encoder_weight * blocks.get("BASE", 1.0)
    return tag.unet_weight * blocks.get(block_of(path), 1.0)


def block_of(path: str) -> str:
    """The block of the UNet's layer at `path` as checkpoints count them: `IN04`, `MID`, `OUT03`; empty for those outside."""
    match = next((match for original in ldm_paths(path) if (match := _BLOCK.match(original))), None)
    if match is None:
        return ""
    return "MID" if match["middle"] else f"{match['side'].upper()}{int(match['number']):02}"


def misnamed(tag: LoraTag, structure: Structure) -> bool:
    """Whether the block weights count other blocks than those of a base model: a list for another family."""
    if not tag.block_weights:
        return False
    layers = [name.rpartition(".")[0] for name in structure.networks[0]]
    named = set(BLOCK_NAMES[len(tag.block_weights)]) - {"BASE"}
    attentive = {block_of(layer) for layer in layers if ".attentions." in layer}
    return not attentive <= named <= {block_of(layer) for layer in layers}
