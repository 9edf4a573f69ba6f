"""The pipeline on a model with random weights: what holds whatever the networks draw."""

from typing import Any

import numpy as np
import pytest
from acetate.engine import BadRequest, Engine, Picture, Progress, Request
from acetate.engine.models.codec import LatentOffsetCodec
from numpy.typing import NDArray


def pictures(engine: Engine, **values: Any) -> list[Picture]:
    request = Request(**{"prompt": "a red apple", "steps": 2, "alpha_passes": 1, **values})
    return [event for event in engine.run(request) if isinstance(event, Picture)]


@pytest.fixture
def untrained(shared_untrained: Engine) -> Engine:
    return shared_untrained


@pytest.fixture
def layer() -> NDArray[np.uint8]:
    rng = np.random.default_rng(4)
    picture = rng.integers(0, 256, (90, 120, 4)).astype(np.uint8)
    picture[:10, :, 3] = 0
    return picture


def test_the_same_seed_gives_the_same_bytes(untrained: Engine) -> None:
    first, second = pictures(untrained, seed=7), pictures(untrained, seed=7)
    assert (first[0].rgba == second[0].rgba).all()
    assert (pictures(untrained, seed=8)[0].rgba != first[0].rgba).any()


def test_a_batch_gives_the_pictures_of_single_runs(untrained: Engine) -> None:
    batch = pictures(untrained, seed=3, count=3)
    singles = [pictures(untrained, seed=3 + i)[0] for i in range(3)]
    assert [p.seed for p in batch] == [3, 4, 5]
    assert all((b.rgba == s.rgba).all() for b, s in zip(batch, singles, strict=True))


@pytest.mark.parametrize("size", [(128, 128), (333, 517), (1, 1), (640, 64)])
def test_any_size_comes_out_as_asked(untrained: Engine, size: tuple[int, int]) -> None:
    (picture,) = pictures(untrained, width=size[0], height=size[1])
    assert picture.rgba.shape == (size[1], size[0], 4)


def test_a_picture_says_how_large_it_was_drawn(untrained: Engine, layer: NDArray[np.uint8]) -> None:
    new, refined = pictures(untrained, width=640, height=640) + pictures(untrained, task="refine", source=layer, strength=0.5)
    for picture, side in ((new, 640), (refined, 120)):
        assert picture.drawn is not None
        assert max(picture.drawn.width, picture.drawn.height) * picture.drawn.enlarged == pytest.approx(side, 0.02)


def test_parameters_repeat_the_picture(untrained: Engine) -> None:
    from acetate.engine.values.parameters import from_json

    picture = pictures(untrained, seed=5, count=2)[1]
    (again,) = (e for e in untrained.run(from_json(picture.parameters)) if isinstance(e, Picture))
    assert (again.rgba == picture.rgba).all()
    assert again.parameters == picture.parameters


def test_progress_counts_up_to_one_and_previews_are_small(untrained: Engine) -> None:
    events = list(untrained.run(Request(prompt="x", steps=3, alpha_passes=2)))
    steps = [e for e in events if isinstance(e, Progress)]
    fractions = [e.fraction for e in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert [e.step for e in steps if e.stage == "denoise"] == [1, 2, 3]
    previews = [e.preview() for e in steps if e.preview is not None]
    assert {p.shape for p in previews} == {(16, 16, 4)}


def test_closing_the_iterator_between_steps_cancels(untrained: Engine) -> None:
    calls = []
    with untrained.open("sketchpad").unet.register_forward_hook(lambda *_: calls.append(1)):
        running = untrained.run(Request(prompt="x", steps=20))
        for event in running:
            if isinstance(event, Progress) and event.stage == "denoise" and event.step == 2:
                break
        running.close()
    assert len(calls) == 2
    assert pictures(untrained), "the engine goes on after a cancel"


def test_refine_keeps_the_size_and_can_lock_alpha(untrained: Engine, layer: NDArray[np.uint8]) -> None:
    (free,) = pictures(untrained, task="refine", source=layer)
    (locked,) = pictures(untrained, task="refine", source=layer, lock_alpha=True)
    assert free.rgba.shape == locked.rgba.shape == layer.shape
    assert (locked.rgba[..., 3] == layer[..., 3]).all()
    assert (free.rgba[..., 3] != layer[..., 3]).any()


@pytest.mark.parametrize(("strength", "task"), [(0.0, "refine"), (0.01, "refine"), (0.0, "repaint")])
def test_a_strength_of_less_than_a_step_gives_the_source_back_bit_for_bit(
    untrained: Engine, layer: NDArray[np.uint8], strength: float, task: str
) -> None:
    mask = {"mask": np.full(layer.shape[:2], 255, np.uint8)} if task == "repaint" else {}
    events = list(untrained.run(Request(task=task, prompt="x", source=layer, strength=strength, count=2, **mask)))
    assert not [e for e in events if isinstance(e, Progress) and e.stage != "load"]
    found = [e for e in events if isinstance(e, Picture)]
    assert [one.seed for one in found] == [0, 1] and [one.warnings for one in found] == [()] * 2
    assert all(np.array_equal(one.rgba, layer) for one in found)


def test_the_words_that_a_seed_chose_are_noted_and_draw_the_same_again(untrained: Engine) -> None:
    found = pictures(untrained, prompt="a {red|green|blue|black} apple", seed=4, count=3, alpha_passes="adaptive")
    words = [one.parameters["prompt"] for one in found]
    assert len(set(words)) > 1 and not any("{" in text for text in words)
    (again,) = pictures(untrained, prompt=words[2], seed=6, alpha_passes="adaptive")
    assert np.array_equal(again.rgba, found[2].rgba)


def test_a_prompt_that_changes_on_the_way_draws_something_else_and_not_before_it_changes(untrained: Engine) -> None:
    (plain,) = pictures(untrained, prompt="a red apple", steps=4)
    (later,) = pictures(untrained, prompt="a red [apple:car:4]", steps=4)
    (changed,) = pictures(untrained, prompt="a red [apple:car:0.5]", steps=4)
    assert np.array_equal(plain.rgba, later.rgba)
    assert not np.array_equal(plain.rgba, changed.rgba)


def test_prompts_joined_by_and_weigh_what_they_say(untrained: Engine) -> None:
    (plain,) = pictures(untrained, prompt="a red apple")
    (both,) = pictures(untrained, prompt="a red apple AND a car :0")
    (other,) = pictures(untrained, prompt="a red apple AND a car")
    assert np.abs(plain.rgba.astype(int) - both.rgba).max() <= 1
    assert not np.array_equal(plain.rgba, other.rgba)


def test_long_seeds_draw_pictures_of_their_own(untrained: Engine) -> None:
    drawn = {seed: pictures(untrained, seed=seed)[0].rgba.tobytes() for seed in (0, 2**32, 2**63 - 1, 2**32 - 1)}
    assert len(set(drawn.values())) == 4


def test_what_a_prompt_holds_that_is_not_understood_is_a_warning(untrained: Engine) -> None:
    (picture,) = pictures(untrained, prompt="a red apple <hypernet:x:1>")
    assert picture.warnings[0] == "'<hypernet:x:1>' is not understood and was left out"
    (plain,) = pictures(untrained, prompt="a red apple")
    assert np.array_equal(picture.rgba, plain.rgba)


def test_clip_skip_reads_another_layer_and_says_where_there_is_none(untrained: Engine) -> None:
    (plain,) = pictures(untrained, prompt="a red apple")
    (same,) = pictures(untrained, prompt="a red apple", clip_skip=1)
    (other,) = pictures(untrained, prompt="a red apple", clip_skip=2)
    assert np.array_equal(plain.rgba, same.rgba) and not np.array_equal(plain.rgba, other.rgba)
    with pytest.raises(BadRequest, match="clip_skip is 12; the text encoder of this model has"):
        pictures(untrained, clip_skip=12)


def test_repaint_leaves_everything_outside_the_mask(untrained: Engine, layer: NDArray[np.uint8]) -> None:
    mask = np.zeros(layer.shape[:2], np.uint8)
    mask[40:70, 30:60], mask[70:75, 30:60] = 255, 90
    (picture,) = pictures(untrained, task="repaint", source=layer, mask=mask)
    assert (picture.rgba[mask == 0] == layer[mask == 0]).all()
    assert (picture.rgba[mask > 0] != layer[mask > 0]).any()


def test_an_opaque_source_is_not_blamed_on_the_model(untrained: Engine, layer: NDArray[np.uint8]) -> None:
    opaque, mask = layer.copy(), np.zeros(layer.shape[:2], np.uint8)
    opaque[..., 3], mask[40:42, 30:32] = 255, 255
    (picture,) = pictures(untrained, task="repaint", source=opaque, mask=mask)
    assert picture.quality["border"] == 0
    assert picture.warnings == ()


def test_the_decoder_gets_unscaled_latents_and_pixels_in_range(untrained: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The classic mistakes of layerdiffuse.md 7.1: scaled latents, unclamped pixels."""
    codec = untrained.open("sketchpad").codec
    assert isinstance(codec, LatentOffsetCodec)
    codec.scaling_factor = 0.25
    seen: dict[str, Any] = {}
    original = codec.decoder.estimates

    def spy(pixels: Any, latents: Any, *rest: Any) -> Any:
        seen.update(pixels=pixels, latents=latents)
        return original(pixels, latents, *rest)

    monkeypatch.setattr(codec.decoder, "estimates", spy)
    sampled: list[Any] = []
    decode = codec.decode
    monkeypatch.setattr(codec, "decode", lambda latents, passes: sampled.append(latents) or decode(latents, passes))
    pictures(untrained)
    assert (seen["latents"] - sampled[0] / 0.25).abs().max() < 1e-6
    assert 0 <= seen["pixels"].min() <= seen["pixels"].max() <= 1


def test_a_task_that_the_family_cannot_do_says_which_can(untrained: Engine, layer: NDArray[np.uint8]) -> None:
    with pytest.raises(BadRequest, match="'blend'.*sketchpad") as refused:
        pictures(untrained, task="blend", foreground=layer)
    assert "sdxl" in refused.value.hint
