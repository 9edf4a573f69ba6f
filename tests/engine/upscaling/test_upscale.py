"""The task `upscale`: sizes, fringes, alpha, what is asked of whom, and memory."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, ModelMissing, Picture, Progress, Request
from acetate.engine.files.library import Library
from acetate.engine.upscaling import upscalers
from acetate.engine.upscaling.alpha_channel import enlarge_alpha
from acetate.engine.upscaling.upscale import padded, target_size
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.torch import save_file

RGBA = NDArray[np.uint8]
BENCH = Path(__file__).parents[2] / "bench"
UPSCALING = {"task": "upscale", "upscaling": {"mode": "enlarge"}}


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark's measures and pictures."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("upscale_quality")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Without any model but the built-in one."""
    folder = tmp_path_factory.mktemp("library")
    return Engine("cpu", Library(folder / "models", folder, folder))


@pytest.fixture
def untrained(shared_untrained: Engine) -> Engine:
    return shared_untrained


@pytest.fixture(scope="module")
def network(esrgan: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A 4x network's file."""
    path = tmp_path_factory.mktemp("network") / "4x-Sharp.safetensors"
    save_file(esrgan(sharpen=2.0), path)
    return str(path)


def run(engine: Engine, source: RGBA, **request: Any) -> tuple[Picture, list[Progress]]:
    *progress, picture = engine.run(Request(**{**UPSCALING, **request}, source=source))
    assert isinstance(picture, Picture)
    return picture, [event for event in progress if isinstance(event, Progress)]


def ball(width: int = 40, height: int = 30, hidden: int = 0) -> RGBA:
    """A soft ball, striped, with some colour under alpha 0."""
    y, x = np.mgrid[0:height, 0:width]
    alpha = np.clip((0.4 - np.hypot(x / width - 0.5, y / height - 0.5)) * 900, 0, 255).astype(np.uint8)
    colour = np.stack([200 - 3 * (x % 7), 90 + y % 50, 40 + 0 * x], axis=2).astype(np.uint8)
    return np.dstack([np.where(alpha[..., None] > 0, colour, hidden).astype(np.uint8), alpha])


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"scale": 1.5}, (60, 45)),
        ({"scale": 8}, (320, 240)),
        ({"scale": 2.33}, (93, 70)),
        ({"width": 100}, (100, 75)),
        ({"height": 100}, (133, 100)),
        ({"width": 77, "height": 200}, (77, 200)),
        ({"width": 20, "height": 15}, (20, 15)),
    ],
)
def test_the_target_is_a_factor_a_side_or_a_size(engine: Engine, asked: dict[str, Any], size: tuple[int, int]) -> None:
    picture, _ = run(engine, ball(), **asked)
    assert picture.rgba.shape == (size[1], size[0], 4)
    assert (picture.parameters["width"], picture.parameters["height"]) == size


def test_a_target_beyond_the_limit_is_refused_with_its_size() -> None:
    with pytest.raises(BadRequest, match="9000 x 6750 pixels; a side has at most 8192"):
        target_size(Request(task="upscale", source=np.zeros((750, 1000, 4), np.uint8), scale=9))


@settings(max_examples=25, deadline=None)
@given(width=st.integers(1, 40), height=st.integers(1, 40), scale=st.floats(1, 8), by_network=st.booleans(), alpha=st.booleans())
def test_colour_and_alpha_always_have_the_targets_size(
    engine: Engine, network: str, width: int, height: int, scale: float, by_network: bool, alpha: bool
) -> None:
    options = {"mode": "enlarge", "alpha": "network" if alpha and by_network else "lanczos"}
    source = np.random.default_rng(width * 41 + height).integers(0, 256, (height, width, 4)).astype(np.uint8)
    picture, progress = run(engine, source, scale=scale, upscaler=network if by_network else None, upscaling=options)

    assert picture.rgba.shape == (max(1, round(height * scale)), max(1, round(width * scale)), 4)
    fractions = [event.fraction for event in progress]
    assert fractions == sorted(fractions) and all(0 <= f <= 1 for f in fractions)


def test_at_its_own_size_a_layer_stays_as_it_is(engine: Engine) -> None:
    source = ball(hidden=99)
    assert np.array_equal(run(engine, source, scale=1)[0].rgba, source)


# --- edges -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(engine: Engine) -> dict[str, RGBA]:
    """Layers from the built-in model, by prompt."""
    prompts = ("a red apple", "grey smoke")
    pictures = {prompt: list(engine.run(Request(prompt=prompt, steps=8, alpha_passes=2)))[-1] for prompt in prompts}
    return {prompt: picture.rgba for prompt, picture in pictures.items() if isinstance(picture, Picture)}


@pytest.mark.parametrize("name", ["hair", "glass", "smoke", "lattice", "text", "a red apple", "grey smoke"])
@pytest.mark.parametrize("way", ["lanczos", "network"])
def test_no_background_shows_a_fringe_and_no_tile_a_seam(
    engine: Engine, network: str, drawn: dict[str, RGBA], judge: Any, name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every gate of the benchmark, on pictures by formula and on the built-in model's layers, in four tiles.

    And what careless ways make of the same pictures is far below the gate.
    """
    monkeypatch.setitem(upscalers.SIDES, "cpu", 96)
    if name in drawn:
        case = judge.layer_case(name, drawn[name])
        assert case.source[..., 3].max() > 40, "the model drew something"
    else:
        case = judge.Case(name, judge.draw(name, 128), judge.uncut(name, 128))
    found = {w.name.split(",")[0]: w for w in reversed(list(judge.ways(engine, 4, network, [], "")))}
    measured = judge.measure(case, found[way])

    assert measured.missed(found[way].gates) == []
    assert (measured.seams is not None) == (way == "network")
    assert measured.inside > 30, "shrunk again it is the source"
    assert measured.haze == 0
    if name in ("hair", "lattice", "text"):
        assert measured.worst > 45
        assert judge.measure(case, found["hidden colour black"]).worst < 40
        assert judge.measure(case, found["hidden colour as it is"]).worst < 40


def test_hidden_colour_has_no_influence_on_what_is_seen(engine: Engine, network: str) -> None:
    for upscaler in (None, network):
        black, green = (run(engine, ball(hidden=hidden), scale=3, upscaler=upscaler)[0].rgba for hidden in (0, 250))
        assert np.array_equal(black, green)


def test_colour_goes_on_under_alpha_0(engine: Engine) -> None:
    rgba = run(engine, ball(), scale=4)[0].rgba
    assert rgba[0, 0, 3] == 0
    assert 150 < rgba[0, 0, 0] < 210, "the ball's red, not black"


def test_half_transparent_colour_is_kept() -> None:
    """In glass it is the picture; only below one sixteenth of full alpha the surroundings take over."""
    source = ball()
    seen = source[..., 3] >= 16
    assert np.array_equal(padded(source)[seen], source[..., :3][seen])


@pytest.mark.parametrize("size", [(160, 120), (97, 61)])
def test_what_is_empty_or_opaque_stays_exactly_so(size: tuple[int, int]) -> None:
    alpha = np.zeros((30, 40), np.uint8)
    alpha[8:22, 10:30] = 255
    noisy = np.random.default_rng(0).integers(0, 256, (120, 160)).astype(np.uint8)
    for by_network in (None, noisy):
        result = enlarge_alpha(alpha, by_network, size)
        x, y = size[0] / 40, size[1] / 30
        assert not result[: int(6 * y)].any() and not result[:, int(33 * x) :].any()
        assert (result[int(10 * y) : int(20 * y), int(12 * x) : int(28 * x)] == 255).all()


def test_an_empty_layer_stays_empty_and_an_opaque_one_opaque(engine: Engine, network: str) -> None:
    empty, progress = run(engine, np.zeros((30, 40, 4), np.uint8), upscaler=network)
    assert empty.rgba.shape == (60, 80, 4) and not empty.rgba.any()
    assert [event.step for event in progress if event.stage == "upscale"] == [1], "no tile was sent through the network"
    opaque = ball()
    opaque[..., 3] = 255
    assert (run(engine, opaque, scale=3.1, upscaler=network)[0].rgba[..., 3] == 255).all()


# --- networks --------------------------------------------------------------------------------------------------------


def test_a_network_runs_as_often_as_the_factor_asks(engine: Engine, esrgan: Any, tmp_path: Path) -> None:
    """One tile each time; the last step is interpolation's."""
    save_file(esrgan(doublings=1), tmp_path / "2x.safetensors")
    source = ball(16, 12)
    for scale, runs in ((1.5, 1), (2, 1), (3, 1), (4, 2), (8, 3)):
        options = {"mode": "enlarge", "alpha": "lanczos"}
        _, progress = run(engine, source, scale=scale, upscaler=str(tmp_path / "2x.safetensors"), upscaling=options)
        assert len([event for event in progress if event.stage == "upscale"]) == runs + 1


def test_alpha_by_a_network_is_crisper_and_colour_the_same(engine: Engine, network: str) -> None:
    soft, crisp = (
        run(engine, ball(), scale=4, upscaler=network, upscaling={"mode": "enlarge", "alpha": alpha})[0].rgba
        for alpha in ("lanczos", "network")
    )

    assert np.array_equal(soft[..., :3], crisp[..., :3])
    steepest = [np.abs(np.diff(rgba[..., 3].astype(int), axis=1)).max() for rgba in (soft, crisp)]
    assert steepest[1] > 1.1 * steepest[0]


@pytest.mark.parametrize(("name", "chosen"), [("hair", "lanczos"), ("glass", "network"), ("smoke", "lanczos")])
def test_alpha_goes_through_the_network_where_it_is_soft_and_not_smooth(
    engine: Engine, network: str, judge: Any, name: str, chosen: str
) -> None:
    source = judge.draw(name, 64)
    if name == "hair":
        source[..., 3] = np.where(source[..., 3] > 127, 255, 0)
    asked = {"scale": 4, "upscaler": network}
    unasked = run(engine, source, **asked)[0].rgba

    assert np.array_equal(unasked, run(engine, source, **asked, upscaling={"mode": "enlarge", "alpha": chosen})[0].rgba)


def test_without_spandrel_lanczos_does_it_and_the_extra_is_named(
    engine: Engine, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    engine._upscalers.close()
    picture, _ = run(engine, ball(), upscaler=network)

    assert np.array_equal(picture.rgba, run(engine, ball())[0].rgba)
    assert len(picture.warnings) == 1 and "pip install 'acetate[upscalers]'" in picture.warnings[0]


def test_an_unknown_upscaler_is_an_error(engine: Engine) -> None:
    with pytest.raises(ModelMissing, match="no upscaler '4x-Gone'"):
        run(engine, ball(), upscaler="4x-Gone")
    with pytest.raises(BadRequest, match="no upscaler was named"):
        run(engine, ball(), upscaling={"alpha": "network"})


def test_the_files_place_does_not_travel_with_the_layer(engine: Engine, network: str) -> None:
    picture, _ = run(engine, ball(), upscaler=network)
    assert picture.parameters["upscaler"] == "4x-Sharp"
    assert not re.search(r"[/\\]", str(picture.parameters))


# --- models ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [{}, {"strength": 0.5}, {"prompt": "a ball"}, {"model": "gone", "strength": 0}])
def test_no_model_is_opened_where_none_is_used(engine: Engine, monkeypatch: pytest.MonkeyPatch, request_: dict[str, Any]) -> None:
    """Also without a mode: the built-in model has nothing honest to add, and strength 0 asks for nothing."""
    monkeypatch.setattr(engine, "open", lambda name: pytest.fail(f"{name} was opened"))
    picture, _ = run(engine, ball(), upscaling={}, **request_)
    assert np.array_equal(picture.rgba, run(engine, ball())[0].rgba)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"prompt": "a ball", "strength": 0.5}, "prompt, strength had no effect: nothing was redrawn"),
        ({"upscaling": {"mode": "enlarge", "seams": "band"}}, "seams had no effect: nothing was redrawn"),
        ({"steps": 4, "count": 2, "lock_alpha": True}, "steps, count, lock_alpha had no effect: nothing was redrawn"),
    ],
)
def test_what_has_no_effect_without_a_redraw_is_named(engine: Engine, asked: dict[str, Any], named: str) -> None:
    assert run(engine, ball(), **asked)[0].warnings == (named,)
    assert run(engine, ball(), strength=0)[0].warnings == ()


def test_a_result_says_how_it_was_made_so_that_another_model_repeats_it(engine: Engine) -> None:
    assert run(engine, ball(), upscaling={})[0].parameters["upscaling"] == {"mode": "enlarge"}


def test_the_built_in_model_refuses_to_redraw_opaque_colour(untrained: Engine) -> None:
    with pytest.raises(BadRequest, match="sketchpad cannot redraw opaque colour") as caught:
        run(untrained, ball(), upscaling={"mode": "redraw"})
    assert "mode refine" in caught.value.hint


def test_the_built_in_model_refines_a_layer_in_tiles(untrained: Engine) -> None:
    refining = {"upscaling": {"mode": "refine"}, "steps": 5, "strength": 0.4, "alpha_passes": 1, "prompt": "a ball"}
    first, progress = run(untrained, ball(), scale=4, **refining)

    assert first.rgba.shape == (120, 160, 4)
    assert (first.parameters["strength"], first.parameters["steps"]) == (0.4, 5)
    assert [(e.stage, e.step, e.steps) for e in progress if e.stage == "denoise"][-1] == ("denoise", 4, 4)
    assert progress[-1].fraction == pytest.approx(1)
    assert np.array_equal(first.rgba, run(untrained, ball(), scale=4, **refining)[0].rgba), "one seed, one picture"
    assert not np.array_equal(first.rgba, run(untrained, ball(), scale=4, seed=1, **refining)[0].rgba)
    locked = run(untrained, ball(), scale=4, lock_alpha=True, **refining)[0]
    assert np.array_equal(locked.rgba[..., 3], run(untrained, ball(), scale=4)[0].rgba[..., 3])
    assert [any("shape has changed" in one for one in made.warnings) for made in (first, locked)] == [True, False]


def test_a_refinement_names_what_only_a_redraw_takes(untrained: Engine) -> None:
    asked = {"upscaling": {"mode": "refine", "padding": 8}, "steps": 2, "strength": 0.5, "alpha_passes": 1}
    assert "padding had no effect" in run(untrained, ball(), **asked)[0].warnings[0]


@pytest.mark.parametrize(("dtype", "top"), [("uint16", 65535), ("float32", 4.0)])
def test_a_deep_layer_that_is_only_enlarged_keeps_its_levels_and_its_range(engine: Engine, dtype: str, top: float) -> None:
    deep = np.empty((16, 1024, 4), dtype)
    deep[..., :3] = np.linspace(0, top, 1024).astype(dtype)[None, :, None]
    deep[..., 3] = 65535 if dtype == "uint16" else 1
    seen = np.zeros((16, 1024, 4), np.uint8)
    picture, _ = run(engine, seen, deep_source=deep, scale=2.0)
    assert picture.deep is not None and picture.deep.dtype == dtype and picture.deep.shape == picture.rgba.shape
    assert len(np.unique(picture.deep[..., 0])) >= 1024
    assert picture.deep[..., 0].max() == pytest.approx(top)
    assert picture.warnings == ()


def test_what_a_network_draws_has_8_bits_and_says_so(engine: Engine, network: str) -> None:
    picture, _ = run(engine, ball(), deep_source=ball().astype(np.uint16) * 257, scale=2.0, upscaler=network)
    assert picture.deep is None
    assert any("8 bits" in warning for warning in picture.warnings)


def test_a_deep_source_of_another_shape_is_refused(engine: Engine) -> None:
    with pytest.raises(BadRequest, match="deep_source is uint16"):
        run(engine, ball(), deep_source=np.zeros((3, 4, 4), np.uint16))


def test_several_pictures_are_enlarged_once(untrained: Engine) -> None:
    asked = {"upscaling": {"mode": "refine"}, "steps": 2, "strength": 0.5, "alpha_passes": 1}
    events = list(untrained.run(Request(task="upscale", source=ball(), count=2, seed=7, **asked)))  # type: ignore[arg-type]
    pictures = [event for event in events if isinstance(event, Picture)]

    assert [(p.index, p.seed, p.parameters["seed"]) for p in pictures] == [(0, 7, 7), (1, 8, 8)]
    assert len([e for e in events if isinstance(e, Progress) and e.stage == "upscale"]) == 1
    fractions = [e.fraction for e in events if isinstance(e, Progress)]
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1)


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_a_4096_result_of_a_full_size_network_fits_4_gb(esrgan: Any, tmp_path: Path) -> None:
    """64 features as all published ESRGANs; 2 of their 23 blocks, as more cost time but no memory."""
    save_file(esrgan(width=64), tmp_path / "net.safetensors")
    script = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from acetate.engine import Engine, Request\n"
        "source = np.random.default_rng(0).integers(0, 256, (1024, 1024, 4)).astype(np.uint8)\n"
        "*_, picture = Engine('cpu').run(Request(task='upscale', source=source, scale=4, upscaler=sys.argv[1]))\n"
        "assert picture.rgba.shape == (4096, 4096, 4)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "net.safetensors")]
    done = subprocess.run(words, check=True, timeout=3600, capture_output=True, text=True)
    peak = int(done.stdout.split()[-1]) / 2**20
    print(f"peak {peak:.2f} GiB, {torch.get_num_threads()} threads")
    assert peak < 4
