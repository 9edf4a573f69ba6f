"""Random documents go into each format and come back: pixels bit for bit, everything else as the format can hold it."""

import itertools

import numpy as np
import pytest
from acetate.document import BLEND_MODES, Document, Group, Layer, Mask, compose, losses, read_bytes, walk, write_bytes
from acetate.document.formats.ora import BLEND_OPERATORS
from acetate.document.naming import clean
from acetate.raster import to_8_bits, to_16_bits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SETTINGS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
texts = st.text(st.characters(), max_size=20)  # lone surrogates and control characters too
opacities = st.integers(0, 255).map(lambda step: step / 255)


@st.composite
def masks(draw):
    seed, size = draw(st.integers(0, 2**32 - 1)), (draw(st.integers(0, 6)), draw(st.integers(0, 6)))
    values = np.random.default_rng(seed).integers(0, 256, size if all(size) else (0, 0), dtype=np.uint8)
    feather, switches = draw(st.sampled_from([0.0, 2.5])), [draw(st.booleans()) for _ in range(3)]
    place, outside = [draw(st.integers(-9, 20)) for _ in range(2)], draw(st.sampled_from([0, 255]))
    return Mask(values, *place, outside, draw(opacities), feather, *switches)


shapes = st.fixed_dictionaries({"mask": st.none() | masks(), "clipped": st.booleans(), "blends_clipped": st.booleans()})


@st.composite
def layers(draw, shapes=shapes):
    height, width = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    seed = draw(st.integers(0, 2**32 - 1))
    dtype = draw(st.sampled_from([np.uint8, np.uint8, np.uint8, np.uint16]))
    rgba = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (height, width, 4), dtype=dtype)
    if draw(st.booleans()):
        rgba[..., 3] = draw(st.sampled_from([0, np.iinfo(dtype).max]))
    return Layer(
        rgba,
        draw(st.integers(-20, 20)),
        draw(st.integers(-20, 20)),
        draw(texts),
        draw(st.sampled_from(["", "foreground", "background", "blended"])),
        draw(opacities),
        draw(st.sampled_from(BLEND_MODES)),
        draw(st.booleans()),
        draw(st.dictionaries(st.text(max_size=8), json_values, max_size=3)),
        **draw(shapes),
    )


@st.composite
def groups(draw, children, shapes=shapes):
    modes = st.sampled_from([*BLEND_MODES, "pass-through"])
    inner = draw(st.lists(children, max_size=3))
    return Group(draw(texts), inner, draw(opacities), draw(modes), draw(st.booleans()), **draw(shapes))


def documents_of(shapes):
    nodes = st.recursive(layers(shapes), lambda children: groups(children, shapes), max_leaves=5)
    return st.builds(Document, st.integers(1, 24), st.integers(1, 24), st.lists(nodes, max_size=4))


documents = documents_of(shapes)
plain_documents = documents_of(st.just({}))
"""Without masks and clipping, which OpenRaster has not."""


def same_layers(before, after, *, modes, depth=None):
    """Compare node by node; `modes` gives the blend modes that the format keeps, `depth` the one that it has for all layers."""
    for one, other in itertools.zip_longest(walk(before.layers), walk(after.layers)):
        assert type(one) is type(other)
        assert other.name == clean(one.name)
        assert other.visible == one.visible
        assert other.opacity == pytest.approx(one.opacity, abs=1e-9)
        if one.blend_mode in modes:
            assert other.blend_mode == one.blend_mode
        assert (other.clipped, other.blends_clipped) == (one.clipped, one.blends_clipped)
        same_mask(one.mask, other.mask)
        if isinstance(one, Layer):
            assert (other.role, dict(other.parameters)) == (one.role, dict(one.parameters))
            if one.rgba.size:
                assert np.array_equal(other.rgba, to_16_bits(one.rgba) if depth == 16 else one.rgba)
                assert other.box == one.box


def same_mask(one, other):
    if one is None:
        assert other is None
        return
    assert np.array_equal(one.values, other.values)
    assert other.density == pytest.approx(one.density, abs=1e-9)
    for name in ("x", "y", "outside", "feather", "inverted", "linked", "enabled"):
        assert getattr(one, name) == getattr(other, name)


@SETTINGS
@given(documents)
def test_a_document_survives_psd(document):
    back = read_bytes(write_bytes(document, "psd"), name_or_format="a.psd")
    assert (back.width, back.height) == (document.width, document.height)
    drawn_otherwise = ("is kept, but not drawn", "the mode 'dissolve', which is drawn as normal")
    assert all(any(words in note for words in drawn_otherwise) for note in back.notes)
    same_layers(document, back, modes=BLEND_MODES, depth=document.depth)


@SETTINGS
@given(plain_documents)
def test_a_document_survives_openraster(document):
    back = read_bytes(write_bytes(document, "ora"), name_or_format="a.ora")
    assert (back.width, back.height, back.notes) == (document.width, document.height, ())
    same_layers(document, back, modes=BLEND_OPERATORS)


@SETTINGS
@given(documents)
def test_a_psd_looks_the_same_afterwards(document):
    back = read_bytes(write_bytes(document, "psd"), name_or_format="a.psd")
    one, other = (to_8_bits(compose(d)).astype(int) for d in (document, back))
    assert np.abs(one[..., 3] - other[..., 3]).max() <= 1
    assert np.abs(one * (one[..., 3:] > 0) - other * (one[..., 3:] > 0)).max() <= 1


@SETTINGS
@given(plain_documents)
def test_an_openraster_file_without_losses_looks_the_same_afterwards(document):
    if any("blend mode" in loss for loss in losses(document, "ora")):
        return
    back = read_bytes(write_bytes(document, "ora"), name_or_format="a.ora")
    assert np.array_equal(compose(document), compose(back))


@SETTINGS
@given(documents)
def test_a_png_is_the_composition(document):
    back = read_bytes(write_bytes(document, "png"), name_or_format="a.png")
    only = document.layers[0] if len(document.layers) == 1 else None
    if isinstance(only, Layer) and only.box == document.box and only.visible and only.opacity == 1 and only.mask is None:
        assert np.array_equal(back.layers[0].rgba, only.rgba)
    else:
        assert np.array_equal(back.layers[0].rgba, compose(document))
