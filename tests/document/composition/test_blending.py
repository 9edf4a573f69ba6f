import numpy as np
import pytest
from acetate.document.composition.blending import BLENDS
from acetate.document.layer import BLEND_MODES
from psd_tools.composite.blend import BLEND_FUNC
from psd_tools.constants import BlendMode


@pytest.fixture(scope="module")
def colours():
    """Every pair of 9 gray levels, both ends included, and random colours: backdrop and source, `(3, 1, N)` in [0, 1]."""
    levels = np.linspace(0, 1, 9, dtype=np.float32)
    backdrop, source = (np.repeat(a.reshape(1, 1, -1), 3, axis=0) for a in np.meshgrid(levels, levels))
    random = np.random.default_rng(1).random((2, 3, 1, 500), dtype=np.float32)
    return np.concatenate([backdrop, random[0]], axis=2), np.concatenate([source, random[1]], axis=2)


def test_every_mode_but_normal_and_dissolve_has_a_formula():
    assert set(BLENDS) == set(BLEND_MODES) - {"normal", "dissolve"}


@pytest.mark.parametrize("mode", sorted(BLENDS))
def test_a_mode_mixes_as_psd_tools_renders_it(mode, colours):
    backdrop, source = colours
    theirs = BLEND_FUNC[BlendMode[mode.upper().replace("-", "_")]]
    expected = theirs(backdrop.transpose(1, 2, 0).copy(), source.transpose(1, 2, 0).copy()).transpose(2, 0, 1)
    assert np.abs(BLENDS[mode](backdrop, source) - expected).max() < 2e-3


@pytest.mark.parametrize("mode", sorted(BLENDS))
def test_a_mode_never_leaves_the_range_of_colours(mode, colours):
    mixed = BLENDS[mode](*colours)
    assert np.isfinite(mixed).all()
    assert mixed.min() >= -1e-5
    assert mixed.max() <= 1 + 1e-5


@pytest.mark.parametrize(
    ("mode", "backdrop", "source", "expected"),
    [
        ("multiply", 0.5, 0.4, 0.2),
        ("screen", 0.5, 0.4, 0.7),
        ("overlay", 0.25, 0.5, 0.25),
        ("hard-light", 0.5, 0.75, 0.75),
        ("color-dodge", 0.25, 0.5, 0.5),
        ("color-burn", 0.75, 0.5, 0.5),
        ("linear-burn", 0.75, 0.5, 0.25),
        ("subtract", 0.75, 0.5, 0.25),
        ("divide", 0.25, 0.5, 0.5),
        ("exclusion", 0.5, 0.25, 0.5),
    ],
)
def test_a_mode_gives_the_value_that_one_computes_by_hand(mode, backdrop, source, expected):
    gray = [np.full((3, 1, 1), value, np.float32) for value in (backdrop, source)]
    assert BLENDS[mode](*gray) == pytest.approx(expected, abs=1e-6)
