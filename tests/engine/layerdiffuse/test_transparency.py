"""LayerDiffuse's encoder and decoder against the reference's arrays (layerdiffuse.md 10.2, 10.3)."""

from ast import literal_eval
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from acetate.engine.layerdiffuse.transparency import TransparentDecoder, TransparentEncoder, lower_median
from torch import Tensor

Fill = Callable[[Mapping[str, tuple[int, ...]]], dict[str, Tensor]]


def field(formula: Callable[..., np.ndarray], channels: int, height: int, width: int, batch: int = 1) -> Tensor:
    """A formula of (b, c, y, x) as a tensor."""
    grid = np.meshgrid(*(np.arange(n) for n in (batch, channels, height, width)), indexing="ij")
    return torch.from_numpy(formula(*grid)).float()


def pixels(height: int, width: int, batch: int = 1) -> Tensor:
    return field(lambda b, c, y, x: 0.5 + 0.5 * np.sin(0.11 * x + 0.17 * y + 0.9 * c + 0.4 * b), 3, height, width, batch)


def latents(height: int, width: int, batch: int = 1) -> Tensor:
    return field(lambda b, c, y, x: np.cos(0.3 * x - 0.2 * y + 0.5 * c + 0.7 * b), 4, height, width, batch)


def published(golden: Path, name: str) -> dict[str, tuple[int, ...]]:
    lines = (golden / "keys" / name).read_text(encoding="utf-8").splitlines()
    return {key: literal_eval(shape) for key, shape in (line.split("\t") for line in lines)}


@pytest.fixture(scope="module")
def decoder(fill: Fill) -> TransparentDecoder:
    network = TransparentDecoder().eval()
    network.load_state_dict(fill({k: tuple(v.shape) for k, v in network.state_dict().items()}), strict=True)
    return network


def test_decoder_has_the_published_keys_and_shapes(decoder: TransparentDecoder, golden: Path) -> None:
    keys = published(golden, "transparent_decoder_keys.txt")
    assert {k: tuple(v.shape) for k, v in decoder.state_dict().items()} == keys
    assert len(keys) == 538
    assert sum(p.numel() for p in decoder.parameters()) == 104_104_804


def test_encoder_has_the_published_keys_and_shapes(golden: Path) -> None:
    network = TransparentEncoder()
    assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == published(golden, "transparent_encoder_keys.txt")
    assert sum(p.numel() for p in network.parameters()) == 1_181_764


@torch.no_grad()
def test_one_pass_equals_the_reference(decoder: TransparentDecoder, golden: Path) -> None:
    with np.load(golden / "decoder.npz") as stored:
        assert np.abs(decoder(pixels(64, 64), latents(8, 8)).numpy() - stored["single_64"]).max() < 2e-4
        zero = decoder(pixels(64, 64), torch.zeros(1, 4, 8, 8)).numpy()
        assert np.abs(zero - stored["zero_latent_64"]).max() < 2e-4
        assert np.abs(zero - stored["single_64"]).max() > 1e-2, "the latents make no difference"


def test_eight_passes_equal_the_reference(decoder: TransparentDecoder, golden: Path) -> None:
    estimate = decoder.estimate(pixels(64, 128), latents(8, 16))
    with np.load(golden / "decoder.npz") as stored:
        assert np.abs(estimate.numpy() - stored["augmented_64x128"]).max() < 2e-4
    assert 0 <= estimate.min() <= estimate.max() <= 1


def test_encoder_equals_the_reference(fill: Fill, golden: Path) -> None:
    network = TransparentEncoder()
    network.load_state_dict(fill({k: tuple(v.shape) for k, v in network.state_dict().items()}), strict=True)
    alpha = field(lambda b, c, y, x: 0.5 + 0.5 * np.cos(0.05 * x - 0.07 * y), 1, 64, 96)
    offset = network(torch.cat([alpha, pixels(64, 96)], dim=1)).detach().numpy()
    with np.load(golden / "encoder.npz") as stored:
        assert np.abs(offset - stored["offset_64x96"]).max() < 2e-4


@pytest.fixture(scope="module")
def small() -> TransparentDecoder:
    torch.manual_seed(3)
    return TransparentDecoder(4, (8, 8, 8, 16), attention_levels=1).eval()


def test_eight_passes_commute_with_flips_and_turns(small: TransparentDecoder) -> None:
    p, z = torch.rand(1, 3, 32, 32), torch.randn(1, 4, 4, 4)
    straight = small.estimate(p, z)
    assert torch.equal(small.estimate(p.flip(3), z.flip(3)), straight.flip(3))
    assert torch.equal(small.estimate(p.rot90(1, (2, 3)), z.rot90(1, (2, 3))), straight.rot90(1, (2, 3)))
    assert not torch.allclose(small.estimate(p.flip(3), z.flip(3), 1), small.estimate(p, z, 1).flip(3), atol=1e-4)


@pytest.mark.parametrize("passes", [1, 2, 4, 8])
def test_batched_passes_equal_sequential_ones(small: TransparentDecoder, passes: int) -> None:
    p, z = torch.rand(1, 3, 24, 40), torch.randn(1, 4, 3, 5)
    assert torch.allclose(small.estimate(p, z, passes, batch=8), small.estimate(p, z, passes), atol=1e-5)


def test_a_batch_of_two_equals_two_singles(small: TransparentDecoder) -> None:
    p, z = torch.rand(2, 3, 32, 32), torch.randn(2, 4, 4, 4)
    both = small.estimate(p, z)
    assert torch.allclose(both[1:], small.estimate(p[1:], z[1:]), atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_the_selection_network_is_torchs_lower_median(count: int) -> None:
    values = list(torch.randint(0, 5, (count, 1000), generator=torch.Generator().manual_seed(0)).float())
    assert torch.equal(lower_median(values), torch.stack(values).median(dim=0).values)


def test_the_median_of_0_to_7_is_3_and_nan_comes_through() -> None:
    assert lower_median([torch.tensor(float(i)) for i in (7, 0, 3, 1, 6, 2, 5, 4)]) == 3
    assert torch.isnan(lower_median([torch.tensor(v) for v in (0.0, 1.0, float("nan"), 0.5, 0.2, 0.1, 0.7, 0.3)]))


@pytest.mark.parametrize(("height", "width"), [(60, 64), (64, 96)])
def test_sizes_off_the_grid_are_refused_with_the_size(decoder: TransparentDecoder, height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"{width} x {height}.*multiples of 64"):
        decoder(torch.zeros(1, 3, height, width), torch.zeros(1, 4, height // 8, width // 8))


def test_latents_of_another_size_are_refused(small: TransparentDecoder) -> None:
    with pytest.raises(ValueError, match="need latents of 4 x 4"):
        small(torch.zeros(1, 3, 32, 32), torch.zeros(1, 4, 5, 4))


def test_other_numbers_of_passes_are_refused(small: TransparentDecoder) -> None:
    with pytest.raises(ValueError, match="passes is 3"):
        small.estimate(torch.zeros(1, 3, 32, 32), torch.zeros(1, 4, 4, 4), 3)


def test_eight_passes_are_eight_calls_of_the_network(small: TransparentDecoder) -> None:
    calls: list[int] = []
    handle = small.register_forward_hook(lambda *_: calls.append(1))
    small.estimate(torch.zeros(1, 3, 32, 32), torch.zeros(1, 4, 4, 4))
    handle.remove()
    assert len(calls) == 8


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_half_precision_stays_close(decoder: TransparentDecoder, dtype: torch.dtype) -> None:
    import copy

    half = copy.deepcopy(decoder).to(dtype)
    full = decoder(pixels(64, 64), latents(8, 8))
    assert (half(pixels(64, 64).to(dtype), latents(8, 8).to(dtype)).float() - full).abs().max() < 0.02
