"""Options made from the vocabulary's rows: what is said reaches the request as its own type, what is not stays unsaid."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from acetate.server.command_line import parameter_options
from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.value_types import Choice, Flag, FreeText, ListedName, Number, Whole

KINDS = (Choice, Flag, FreeText, ListedName, Number, Whole)
SIMPLE = tuple(name for name, row in PARAMETERS.items() if isinstance(row.type, KINDS))
"""Those whose value is one word."""


def parsed(*words: str, names: tuple[str, ...] = SIMPLE) -> dict[str, Any]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parameter_options.add(parser, names)
    return parameter_options.said(parser.parse_args(words), names)


def described(*names: str, of_one_task: bool = False) -> str:
    parser = argparse.ArgumentParser(formatter_class=lambda prog: argparse.HelpFormatter(prog, width=10_000))
    parameter_options.add(parser, names, of_one_task=of_one_task)
    return parser.format_help()


def test_what_is_not_said_is_no_part_of_the_request() -> None:
    """Else a repeated file would lose its own values to defaults."""
    assert parsed() == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--steps", "7"), {"steps": 7}),
        (("--guidance", "6.5"), {"guidance_scale": 6.5}),
        (("--negative", ""), {"negative_prompt": ""}),
        (("--strength", "0"), {"strength": 0.0}),
        (("--lock-alpha",), {"lock_alpha": True}),
        (("--alpha-passes", "1"), {"alpha_passes": 1}),
        (("--alpha-passes", "adaptive"), {"alpha_passes": "adaptive"}),
        (("--clip-skip", "2", "--fast"), {"clip_skip": 2, "fast": True}),
        (("--scheduler", "heun", "--spacing", "sgm-uniform"), {"scheduler": "heun", "spacing": "sgm-uniform"}),
        (("--resize-mode", "fill", "--model", "painter"), {"resize_mode": "fill", "model": "painter"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_said_has_its_parameters_name_and_type(words: tuple[str, ...], said: dict[str, Any]) -> None:
    found = parsed(*words)
    assert found == said and [type(value) for value in found.values()] == [type(value) for value in said.values()]


def test_a_number_out_of_range_is_left_to_the_request_which_knows_the_words_for_it() -> None:
    assert parsed("--steps", "100000") == {"steps": 100_000}


@pytest.mark.parametrize("words", [("--steps", "2.5"), ("--resize-mode", "melt"), ("--alpha-passes", "3")], ids=" ".join)
def test_what_is_of_no_such_kind_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(argparse.ArgumentError):
        parsed(*words)


def test_the_help_names_the_tasks_of_a_parameter_that_few_heed_and_its_default() -> None:
    assert f"upscale: {PARAMETERS['scale'].help}" in described("scale")
    assert "upscale:" not in described("scale", of_one_task=True)
    assert "foreground" not in described("steps"), "all tasks heed it"
    assert f"(default: {PARAMETERS['scale'].default:g})" in described("scale")
    assert "default" not in described("negative_prompt")
