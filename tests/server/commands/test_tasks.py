"""Every task of `acetate generate` with pictures from files, and what is said when something for it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import acetate.engine.engine
import acetate.engine.preflight
import numpy as np
import pytest
from acetate import document
from acetate.engine import Picture, Request, validation
from acetate.engine.pixels.alpha import fit
from acetate.engine.values.parameters import to_json
from acetate.server.commands.generate import lora
from acetate.vocabulary.tasks import TASKS
from PIL import Image

Command = Callable[..., tuple[int, str, str]]

PICTURES = {
    "background": ("foreground",),
    "object": ("background",),
    "blend": ("foreground",),
    "extract-background": ("foreground", "blended"),
    "extract-foreground": ("background", "blended"),
    "refine": ("layer",),
    "edit": ("layer",),
    "extract": ("layer",),
    "decompose": ("layer",),
    "repaint": ("layer", "mask"),
    "upscale": ("layer",),
}
"""The options that a task needs."""
LAYERS = {
    "scene": ["foreground", "background", "blended"],
    "background": ["background", "blended"],
    "object": ["foreground", "blended"],
    "blend": ["blended"],
    "extract-background": ["background"],
    "decompose": ["foreground", "background"],
}
"""What comes out, where it is not a foreground alone."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that reach an engine which checks them and draws nothing."""
    requests: list[Request] = []

    class Recording:
        def __init__(self, device: str | None, **how: str) -> None:
            pass

        def run(self, request: Request) -> Iterator[Picture]:
            validation.check(request)
            requests.append(request)
            for role in LAYERS.get(request.task, ["foreground"]):
                rgba = np.full((3, 4, 4), 9, np.uint8)
                yield Picture(rgba=rgba, role=role, index=0, seed=request.seed, parameters=to_json(request))  # type: ignore[arg-type]

    class Looking:
        """Finds every model, whatever is installed."""

        def __init__(self, library: object) -> None:
            pass

        def look(self, request: Request) -> SimpleNamespace:
            return SimpleNamespace(without_networks=lambda: Recording(None).run(request))

    monkeypatch.setattr(acetate.engine.engine, "Engine", Recording)
    monkeypatch.setattr(acetate.engine.preflight, "Preflight", Looking)
    return requests


@pytest.fixture
def files() -> dict[str, np.ndarray[Any, Any]]:
    """A PNG in the working folder for every option, each of other pixels."""
    pictures = {}
    for number, name in enumerate(("foreground", "background", "blended", "layer", "mask")):
        shape = (6, 8) if name == "mask" else (6, 8, 4)
        pictures[name] = np.random.default_rng(number).integers(0, 256, shape).astype(np.uint8)
        Image.fromarray(pictures[name]).save(f"{name}.png")
    return pictures


def pictures_for(task: str) -> list[str]:
    return [word for name in PICTURES.get(task, ()) for word in (f"--{name}", f"{name}.png")]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_reads_its_pngs_and_writes_its_layers(
    acetate: Command, asked: list[Request], files: dict[str, Any], task: str
) -> None:
    code, out, err = acetate("generate", "a glass", "--task", task, *pictures_for(task), "-o", "made.png", "--alone")
    assert code == 0, err
    (request,) = asked
    assert (request.task, request.prompt) == (task, "a glass")
    for name in PICTURES.get(task, ()):
        given = getattr(request, "source" if name == "layer" else name)
        assert np.array_equal(given, files[name])
    roles = LAYERS.get(task, ["foreground"])
    assert out.split() == ([f"made-{role}.png" for role in roles] if len(roles) > 1 else ["made.png"])
    assert all(Path(name).exists() for name in out.split())


@pytest.mark.parametrize("task", ["refine", "repaint", "upscale"])
def test_a_layer_is_worked_on_without_words(acetate: Command, asked: list[Request], files: dict[str, Any], task: str) -> None:
    code, _, err = acetate("generate", "--task", task, *pictures_for(task), "-o", "made.png", "--alone")
    assert code == 0, err
    assert asked[0].prompt == ""


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("background", ["a glass (0)", "Foreground"]),
        ("object", ["Background", "a glass (0)"]),
        ("extract-foreground", ["Background", "a glass (0)"]),
        ("extract-background", ["a glass (0)", "Foreground"]),
        ("blend", ["a glass (0)"]),
    ],
)
def test_a_layered_file_composes_with_the_layer_that_was_given(
    acetate: Command, asked: list[Request], files: dict[str, Any], task: str, names: list[str]
) -> None:
    """At the size of what was drawn, which the networks saw it at."""
    code, _, err = acetate("generate", "a glass", "--task", task, *pictures_for(task), "-o", "made.ora", "--alone")
    assert code == 0, err
    nodes = {node.name: node for node in document.read(Path("made.ora")).layers}
    assert list(nodes) == names
    for name in {"Foreground", "Background"} & set(names):
        given = nodes[name]
        assert isinstance(given, document.Layer) and given.visible
        assert np.array_equal(given.rgba, fit(files[name.lower()], 4, 3, "crop"))


@pytest.mark.parametrize("task", PICTURES)
def test_help_names_the_pictures_of_every_task(acetate: Command, task: str) -> None:
    text = acetate("generate", "--help")[1].partition("pictures that a task takes:")[2]
    (line,) = [line for line in text.splitlines() if "--" in line and task in line.partition("--")[0].replace(",", "").split()]
    assert all(f"--{name}" in line for name in PICTURES[task])


def test_every_parameter_of_a_drawn_layer_has_its_option(acetate: Command) -> None:
    options = " ".join(acetate("generate", "--help")[1].split())
    spelled = {"guidance_scale": "guidance", "negative_prompt": "negative", "loras": "lora", "prompts": "foreground-prompt"}
    of_other_form = {"prompt": "prompt", "width": "--size", "height": "--size"}
    for name in TASKS["repaint"].parameters + TASKS["scene"].parameters:
        option = of_other_form.get(name, f"--{spelled.get(name, name.replace('_', '-'))}")
        assert f"{option} " in options or f"{option}]" in options, name


def test_what_decides_a_mode_can_be_said(acetate: Command, asked: list[Request], files: dict[str, Any]) -> None:
    words = ("--resize-mode", "fill", "--injection", "convolution", "--layer-weight", 0.9, "--stop-at", 0.5, "--lora", "ink:0.7")
    prompts = ("--background-prompt", "a meadow", "--blended-prompt", "all of it")
    task = ("--task", "background", *pictures_for("background"))
    code, _, err = acetate("generate", "a glass", *task, *words, *prompts, "-o", "made.png", "--alone")
    assert code == 0, err
    (request,) = asked
    assert (request.resize_mode, request.injection, request.layer_weight, request.stop_at) == ("fill", "convolution", 0.9, 0.5)
    assert request.loras == (("ink", 0.7),)
    assert request.prompts == {"background": "a meadow", "blended": "all of it"}


@pytest.mark.parametrize("task", PICTURES)
def test_a_missing_picture_is_named(acetate: Command, asked: list[Request], files: dict[str, Any], task: str) -> None:
    words = pictures_for(task)[:-2]
    code, _, err = acetate("generate", "a glass", "--task", task, *words, "-o", "made.png", "--alone")
    missing = PICTURES[task][-1]
    assert code == 2
    assert f"--task {task} " in err
    assert {"layer": "works on a layer"}.get(missing, missing) in err
    assert not asked


@pytest.mark.parametrize(
    ("family", "task", "named"),
    [
        ("sd15", "foreground", ["sd15-transparent-attention", "sd15-transparent-decoder"]),
        ("sd15", "scene", ["sd15-joint", "sd15-transparent-decoder"]),
        ("sd15", "background", ["sd15-foreground-to-background"]),
        ("sd15", "object", ["sd15-background-to-foreground", "sd15-transparent-decoder"]),
        ("sd15", "refine", ["sd15-transparent-attention", "sd15-transparent-decoder"]),
        ("sdxl", "repaint", ["sdxl-transparent-attention", "sdxl-transparent-decoder"]),
        ("sdxl", "background", ["sdxl-foreground-to-blended", "sdxl-foreground-blended-to-background"]),
        (
            "sdxl",
            "object",
            ["sdxl-background-to-blended", "sdxl-background-blended-to-foreground", "sdxl-transparent-decoder"],
        ),
        ("sdxl", "blend", ["sdxl-foreground-to-blended"]),
        ("sdxl", "extract-background", ["sdxl-foreground-blended-to-background"]),
        ("sdxl", "extract-foreground", ["sdxl-background-blended-to-foreground", "sdxl-transparent-decoder"]),
    ],
)
def test_missing_weights_come_with_the_commands_that_bring_them(
    acetate: Command, checkpoint: Callable[[str], Path], files: dict[str, Any], family: str, task: str, named: list[str]
) -> None:
    """Before the checkpoint is read: this one could not be."""
    checkpoint(family)
    model = ("--model", "painter", "--device", "cpu")
    code, _, err = acetate("generate", "a glass", "--task", task, *pictures_for(task), *model, "-o", "made.png")
    assert code == 1
    assert err.splitlines()[-1].strip() == "; ".join(f"acetate models pull {name}" for name in named)
    assert not Path("made.png").exists()


@pytest.mark.parametrize("task", ["blend", "extract-background", "extract-foreground"])
def test_a_task_of_the_other_family_says_which_models_can_do_it(
    acetate: Command, checkpoint: Callable[[str], Path], files: dict[str, Any], task: str
) -> None:
    checkpoint("sd15")
    model = ("--model", "painter", "--device", "cpu")
    code, _, err = acetate("generate", "a glass", "--task", task, *pictures_for(task), *model, "-o", "made.png")
    assert code == 2
    assert f"--task {task} cannot be done by sd15 models" in err
    assert "choose a model of family sdxl" in err


def test_an_unknown_lora_is_named(acetate: Command, checkpoint: Callable[[str], Path]) -> None:
    checkpoint("sd15")
    code, _, err = acetate("generate", "a glass <lora:ink:0.5>", "--model", "painter", "--device", "cpu", "-o", "made.png")
    assert code == 1
    assert "there is no LoRA 'ink'" in err


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("ink", ("ink", 1.0)),
        ("ink:0.7", ("ink", 0.7)),
        ("ink:0.7:0.2", ("ink", 0.7, 0.2)),
        ("ink:te=0:unet=0.5", ("ink", 0.5, 0.0)),
        ("ink:0.5:lbw=MIDD", ("ink", 0.5, 0.5, tuple(float(digit) for digit in "10001111111100000"))),
    ],
)
def test_a_lora_on_the_command_line_is_written_as_in_a_prompt(text: str, entry: tuple[Any, ...]) -> None:
    assert lora(text) == entry
