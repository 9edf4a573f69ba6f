"""Names that other programs call: they stay where they are, and take what they take."""

from __future__ import annotations

import importlib
import inspect

import pytest

NAMES = {
    "acetate.engine:Engine": ("device", "library"),
    "acetate.engine:Request": ("task", "prompt", "seed", "source", "mask"),
    "acetate.engine.pixels.alpha:pad_rgb": ("rgba_u8",),
    "acetate.engine.layerdiffuse.transparency:TransparentDecoder": ("latent_channels",),
    "acetate.engine.layerdiffuse.transparency:TransparentDecoder.estimate": ("pixels_01", "latents", "passes"),
    "acetate.engine.layerdiffuse.transparency:TransparentEncoder": ("latent_channels",),
    "acetate.engine.layerdiffuse.attention_sharing:AttentionSharing": ("unet", "state_dict"),
    "acetate.engine.layerdiffuse.attention_sharing:AttentionSharing.set_control": ("image",),
    "acetate.engine.layerdiffuse.attention_sharing:AttentionSharing.remove": (),
    "acetate.engine.weights.patches:apply": ("unet", "state_dict", "weight"),
    "acetate.engine.weights.patches:Patch.revert": (),
    "acetate.document:read": ("path",),
    "acetate.document:write": ("document", "path"),
    "acetate.document:insert_into_file": (),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_where_it_was_and_takes_what_it_took(name: str) -> None:
    module, _, path = name.partition(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    assert set(NAMES[name]) <= set(inspect.signature(found).parameters)
