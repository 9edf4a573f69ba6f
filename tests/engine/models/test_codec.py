"""What goes into and comes out of VAE, encoder and decoder, with stand-ins whose answers are known (layerdiffuse.md 2.3, 3.3)."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import ModelMissing, NumericFailure
from acetate.engine.layerdiffuse.transparency import TransparentDecoder
from acetate.engine.models.codec import LatentOffsetCodec, OffsetDecoding
from acetate.engine.pixels.alpha import pad_rgb
from acetate.vocabulary.parameters import Passes
from numpy.typing import NDArray
from torch import Tensor, nn

SCALE = 0.13025
MEAN, STD = 1.5, 0.25
SIDE = 64


class Vae(nn.Module):
    """Its posterior and its picture are constants; it keeps what it was given."""

    def __init__(self, picture: float = 0.0, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.anything = nn.Parameter(torch.zeros(1, dtype=dtype))
        self.config = SimpleNamespace(scaling_factor=SCALE, latent_channels=4, block_out_channels=(8, 8, 8, 8))
        self.picture, self.given = picture, torch.empty(0)
        self.encoder = self.anything
        """Only that there is one counts."""

    @property
    def dtype(self) -> torch.dtype:
        return self.anything.dtype

    def encode(self, pixels: Tensor) -> Any:
        """Has a mean and a spread, and no way to draw from them."""
        self.given = pixels
        small = pixels.new_ones(1, 4, pixels.shape[2] // 8, pixels.shape[3] // 8)
        return SimpleNamespace(latent_dist=SimpleNamespace(mean=MEAN * small, std=STD * small))

    def decode(self, latents: Tensor, return_dict: bool) -> tuple[Tensor]:
        assert latents.dtype == self.dtype
        self.given = latents
        ramp = torch.linspace(-1, 1, 8 * latents.shape[3], dtype=latents.dtype)
        return (self.picture + ramp.expand(1, 3, 8 * latents.shape[2], -1),)


class Encoder(nn.Module):
    """Says the same offset everywhere."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.tensor(offset))
        self.given = torch.empty(0)

    def forward(self, alpha_rgb: Tensor) -> Tensor:
        self.given = alpha_rgb
        return self.offset.expand(1, 4, alpha_rgb.shape[2] // 8, alpha_rgb.shape[3] // 8)


class Decoder(nn.Module):
    """Says alpha 1, red 0.5, green 0 and blue 2 everywhere, which is not what the VAE says."""

    multiple_of = SIDE

    def __init__(self, blue: float = 1.0) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, 1, 1)
        self.blue = blue
        self.pixels = self.latents = torch.empty(0)

    def estimates(
        self, pixels: Tensor, latents: Tensor, passes: int, batch: int, done: int, forward: object, beyond: int | None
    ) -> Any:
        self.pixels, self.latents = pixels, latents
        done += beyond or 0
        values = torch.tensor([1.0, 0.5, 0.0, self.blue])[None, :, None, None]
        yield [values.expand(1, 4, *pixels.shape[2:])] * (passes - done)


def codec_of(vae: Vae, encoder: Encoder | None = None, decoder: Decoder | None = None, factor: float = 1.0) -> LatentOffsetCodec:
    return LatentOffsetCodec(vae, encoder, decoder, offset_factor=factor)  # type: ignore[arg-type]


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    rgba = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 4)).astype(np.uint8)
    rgba[:20, :, 3], rgba[20:30, :, 3] = 0, 255
    return rgba


def decoded(codec: LatentOffsetCodec, latents: Tensor, passes: Passes = 1) -> OffsetDecoding:
    decoding = codec.decode(latents, passes)
    assert list(decoding) == [passes]
    return decoding


@pytest.mark.parametrize(("offset", "factor"), [(0.5, 1.0), (0.5, 300.0), (0.0, 300.0)])
def test_the_offset_takes_the_place_of_the_posteriors_noise(picture: NDArray[np.uint8], offset: float, factor: float) -> None:
    latents = codec_of(Vae(), Encoder(offset), factor=factor).encode(picture)
    expected = (MEAN + STD * factor * offset) * SCALE
    torch.testing.assert_close(latents, torch.full((1, 4, SIDE // 8, SIDE // 8), expected))


@pytest.mark.parametrize(("factor", "fits"), [(1.0, True), (300.0, False), (float("nan"), False)])
def test_an_offset_of_the_wrong_factor_is_remarked(picture: NDArray[np.uint8], factor: float, fits: bool) -> None:
    codec = codec_of(Vae(), Encoder(0.5), factor=factor)
    codec.encode(picture)
    assert any("does not fit" in note for note in codec.notes) is not fits


def test_without_an_encoder_the_posteriors_mean_is_taken(picture: NDArray[np.uint8]) -> None:
    codec = codec_of(Vae())
    expected = torch.full((1, 4, SIDE // 8, SIDE // 8), MEAN * SCALE)
    torch.testing.assert_close(codec.encode(picture), expected)
    torch.testing.assert_close(codec.encode_opaque(picture), expected)


def test_the_vae_sees_the_picture_over_mid_grey_and_the_encoder_alpha_first(picture: NDArray[np.uint8]) -> None:
    vae, encoder = Vae(), Encoder(0.1)
    codec_of(vae, encoder).encode(picture)
    straight = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(vae.given, (straight[:, :3] * 2 - 1) * straight[:, 3:], atol=1e-6, rtol=0)
    assert (vae.given[..., :20, :] == 0).all(), "alpha 0 is mid-grey, exactly"
    assert torch.equal(encoder.given[:, :1], straight[:, 3:])
    assert torch.equal(encoder.given[:, 1:], torch.from_numpy(pad_rgb(picture)).permute(2, 0, 1)[None])


def test_the_decoder_sees_unscaled_latents_and_the_vaes_pixels_unrounded_but_within_range() -> None:
    vae, decoder = Vae(picture=0.5), Decoder()
    latents = torch.randn(1, 4, SIDE // 8, SIDE // 8)
    decoded(codec_of(vae, decoder=decoder), latents)
    torch.testing.assert_close(vae.given, latents / SCALE)
    assert torch.equal(decoder.latents, vae.given)
    expected = ((0.5 + torch.linspace(-1, 1, SIDE)) / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(decoder.pixels, expected.expand(1, 3, SIDE, SIDE))
    assert decoder.pixels.max() == 1
    assert (decoder.pixels * 255 % 1 > 0.01).any(), "8 bit are too few for the decoder"


def test_the_layer_is_the_decoders_not_the_vaes_and_alpha_1_is_opaque() -> None:
    rgba = decoded(codec_of(Vae(), decoder=Decoder()), torch.zeros(1, 4, SIDE // 8, SIDE // 8), passes=8).rgba
    assert rgba.shape == (SIDE, SIDE, 4)
    assert (rgba == (128, 0, 255, 255)).all()


def test_an_opaque_picture_is_the_vaes() -> None:
    rgba = codec_of(Vae()).decode_opaque(torch.zeros(1, 4, 1, 1))
    assert rgba[0, :, 0].tolist() == [0, 36, 73, 109, 146, 182, 219, 255]
    assert (rgba[..., 3] == 255).all()


def test_a_vae_of_another_type_than_its_latents_is_served(picture: NDArray[np.uint8]) -> None:
    """diffusers' VAE with `force_upcast` fails there (layerdiffuse.md 7.2)."""
    codec = codec_of(Vae(dtype=torch.bfloat16), Encoder(0.5), Decoder())
    latents = codec.encode(picture)
    assert latents.dtype == torch.float32
    assert decoded(codec, latents.half()).rgba.shape == (SIDE, SIDE, 4)


def test_nan_and_a_missing_decoder_are_named() -> None:
    latents = torch.zeros(1, 4, SIDE // 8, SIDE // 8)
    with pytest.raises(NumericFailure, match="NaN or infinity"):
        decoded(codec_of(Vae(), decoder=Decoder(blue=float("nan"))), latents)
    with pytest.raises(ModelMissing, match="without a transparent decoder"):
        decoded(codec_of(Vae()), latents)


def test_an_adaptive_decode_ends_when_alpha_holds_still() -> None:
    codec, latents = codec_of(Vae(), decoder=Decoder()), torch.zeros(1, 4, SIDE // 8, SIDE // 8)
    decoding = codec.decode(latents, "adaptive")
    assert decoding.passes == 8 and list(decoding) == [1, 2], "two estimates agree"
    assert np.array_equal(decoding.rgba, decoded(codec, latents, 8).rgba)


def test_an_adaptive_decode_whose_alpha_never_settles_is_the_reference_of_eight_passes() -> None:
    torch.manual_seed(0)
    network = TransparentDecoder(4, (4, 8, 8, 8), attention_levels=0)
    torch.nn.init.normal_(network.latent_conv_in.weight)
    codec, latents = LatentOffsetCodec(Vae(), None, network), torch.randn(1, 4, SIDE // 8, SIDE // 8)
    decoding, reference = codec.decode(latents, "adaptive"), codec.decode(latents, 8)
    assert list(decoding) == list(range(1, 9)) == list(reference)
    assert np.array_equal(decoding.rgba, reference.rgba)


@pytest.mark.parametrize("work", ["decode_opaque", "encode", "encode_opaque"])
def test_a_vae_that_overflows_in_half_precision_computes_in_float32_from_then_on(tiny_sdxl: Any, work: str) -> None:
    """Its first layers answer with more than float16 holds, as those of SDXL do; norms bring that back in float32."""
    vae = deepcopy(tiny_sdxl.vae).eval()
    for half in (vae.encoder, vae.decoder):
        half.conv_in.weight.data *= 2e5
    wide, narrow = LatentOffsetCodec(vae, None, None), LatentOffsetCodec(deepcopy(vae).half(), None, None)
    given = 3 * torch.randn(1, 4, 8, 8) if work == "decode_opaque" else np.full((64, 64, 4), 200, np.uint8)
    with torch.no_grad():
        overflowing = narrow._colour(given.half()) if work == "decode_opaque" else narrow._posterior(given).mean
        assert not bool(torch.isfinite(overflowing).all())
    for _ in range(2):
        found, expected = (torch.as_tensor(getattr(codec, work)(given)).float() for codec in (narrow, wide))
        assert narrow.vae.dtype == torch.float32
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=1.5 if work == "decode_opaque" else 2e-3)


def test_a_vae_that_does_not_overflow_stays_narrow(tiny_sdxl: Any) -> None:
    codec = LatentOffsetCodec(deepcopy(tiny_sdxl.vae).eval().half(), None, None)
    codec.decode_opaque(torch.randn(1, 4, 8, 8))
    assert codec.vae.dtype == torch.float16
