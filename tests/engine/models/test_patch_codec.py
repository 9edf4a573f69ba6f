from __future__ import annotations

import numpy as np
import pytest
import torch
from acetate.engine.models.patch_codec import PatchCodec
from acetate.engine.sketch.networks import Enlarger, PatchDecoder

from training.fitting.patch_codec import LATENT_CHANNELS, encoder_of

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@pytest.fixture
def drawings() -> Bytes:
    """Discs of one colour each, `(N, 32, 32, 4)` premultiplied: few enough for the latents to hold all of them."""
    y, x = np.mgrid[:32, :32]
    made = np.zeros((24, 32, 32, 4), np.uint8)
    for number, picture in enumerate(made):
        picture[(x - 16) ** 2 + (y - 16) ** 2 < (6 + number / 4) ** 2] = (9 * number, 200 - 8 * number, 90, 255)
    return made


@pytest.fixture
def codec(drawings: Bytes) -> PatchCodec:
    encoder, inverse = encoder_of(drawings)
    decoder = PatchDecoder(LATENT_CHANNELS, (8, 8, 8), (1, 1, 1))
    decoder.linear.load_state_dict(inverse.state_dict())
    torch.nn.init.zeros_(decoder.detail[-2].weight)  # type: ignore[arg-type]
    torch.nn.init.zeros_(decoder.detail[-2].bias)  # type: ignore[arg-type]
    return PatchCodec(encoder.requires_grad_(False), decoder.requires_grad_(False), Enlarger(8, 1), scale=2.0)


def decoded(codec: PatchCodec, drawing: Bytes) -> Bytes:
    decoding = codec.decode(codec.encode(drawing), 1)
    assert list(decoding) == [1]
    return decoding.rgba


def test_a_drawing_comes_back(codec: PatchCodec, drawings: Bytes) -> None:
    drawing = drawings[12]
    made, inside = decoded(codec, drawing), drawing[..., 3] == 255
    assert np.abs(made[..., 3].astype(int) - drawing[..., 3]).mean() < 12
    assert np.abs(made[inside].astype(int) - drawing[inside]).mean() < 12


def test_hidden_colour_has_no_influence(codec: PatchCodec, drawings: Bytes) -> None:
    other = drawings[3].copy()
    other[other[..., 3] == 0, :3] = 77
    assert torch.equal(codec.encode(drawings[3]), codec.encode(other))


def test_what_is_enlarged_is_four_times_as_wide_and_high(codec: PatchCodec, drawings: Bytes) -> None:
    assert codec.enlarged(drawings[0]).shape == (128, 128, 4)


def test_an_opaque_picture_stays_opaque(codec: PatchCodec, drawings: Bytes) -> None:
    assert (codec.decode_opaque(codec.encode_opaque(drawings[0]))[..., 3] == 255).all()
