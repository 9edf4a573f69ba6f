"""`acetate bench` as a user types it, with the measuring itself replaced: `tests/engine/benchmark` tests that."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from acetate.engine.benchmark import comparison, starting
from acetate.engine.benchmark.comparison import Comparison, ComparisonRow, Options

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the engine's comparison was asked for; it finds one stage."""
    calls: list[Options] = []
    row = ComparisonRow(
        "denoise", {"acetate": 0.2, "diffusers": 0.25}, {"acetate": 0.2, "diffusers": 0.25}, {"diffusers": 0.8}, 0.1, 0.05
    )

    def compare(load: Any, options: Options) -> Comparison:
        calls.append(options)
        return Comparison(
            model="sketchpad", device="cpu", peak="this CPU", threads=2, size=(128, 128), steps=20, passes=8, repeats=3,
            load=1.0, cold=2.5, cancel=0.03, plan="all", rows=(row,), memory={"acetate": 2**25},
        )  # fmt: skip

    monkeypatch.setattr(comparison, "compare", compare)
    monkeypatch.setattr(starting, "measure", lambda repeats: {"python itself": 0.02})
    return calls


def test_stages_stand_beside_the_others_with_ratio_and_floor(acetate: Command, asked: list[Options]) -> None:
    code, out, err = acetate("bench", "engine", "--stage", "denoise", "--stage", "vae", "--steps", 4)
    assert code == 0, err
    for part in (
        "denoise, per step",
        "200",
        "250",
        "0.80",
        "first picture: 2.50 s",
        "at rest after: 30.0 ms",
        "peak memory, acetate: 32 MiB",
    ):
        assert part in " ".join(out.split())
    assert asked[0].stages == ("denoise", "vae") and asked[0].steps == 4


def test_json_holds_every_part_that_was_measured(acetate: Command, asked: list[Options]) -> None:
    code, out, err = acetate("bench", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["start"] == {"python itself": 0.02}
    assert found["engine"]["rows"][0]["ratios"] == {"diffusers": 0.8}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--size", 0), "--size is 0"),
        (("--model", "some", "--synthetic", "sdxl"), "exclude each other"),
        (("--stage", "nothing"), "'nothing'"),
        (("--limit", 8, "--device", "cpu"), "memory of cpu cannot be limited"),
    ],
)
def test_wrong_values_are_named(acetate: Command, asked: list[Options], words: tuple[object, ...], named: str) -> None:
    code, _, err = acetate("bench", "engine", *words)
    assert code in (1, 2)
    assert named in err
    assert not asked
