"""The seam: every way gives what the plain call gives, wrong ones are found out, and without the folder the program works."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from acetate.engine import Engine, Picture, Request
from acetate.engine.acceleration import Checked, Compiled, Recorded
from acetate.engine.acceleration.graph_replay import Recording
from acetate.engine.device.accelerator import Accelerator
from torch import Tensor, nn

REQUEST: dict[str, Any] = {"prompt": "a red apple", "steps": 3}

WITHOUT = """
import hashlib, sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("acetate.engine.acceleration"):
            raise ModuleNotFoundError(f"{name} was deleted")

sys.meta_path.insert(0, Forbidden())
from acetate.engine import BadRequest, Engine, Request
from acetate.engine.models.runtime import described
for way in ("eager", "auto"):
    engine = Engine("cpu", acceleration=way)
    *_, made = engine.run(Request(prompt="a red apple", steps=3))
    print(hashlib.sha256(made.rgba).hexdigest(), made.parameters)
print(described(engine.device))
try:
    Engine("cpu", acceleration="recorded")
except BadRequest as error:
    print(error)
"""


def layer(engine: Engine) -> Picture:
    (made,) = (item for item in engine.run(Request(**REQUEST)) if isinstance(item, Picture))
    return made


def test_with_the_folder_deleted_eager_and_auto_draw_the_same_layer_and_other_ways_are_refused() -> None:
    recorded = layer(Engine("cpu", acceleration="recorded"))
    told = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True).stdout.splitlines()
    assert told[:2] == [f"{hashlib.sha256(recorded.rgba).hexdigest()} {recorded.parameters}"] * 2
    assert told[2] == "auto is eager: the faster ways are not installed"
    assert told[3] == "acceleration 'recorded' is not installed", "the folder was forbidden indeed"


def wrong(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    """Let recordings give what is not true any more."""
    play: Callable[..., Tensor] = Recording.play
    monkeypatch.setattr(Recording, "play", lambda self, inputs, *, capture: play(self, inputs, capture=capture) + by)


def test_a_check_reports_a_wrong_recording_and_goes_on_with_the_right_result(
    untrained: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = layer(Engine("cpu", acceleration="eager"))
    checking = Engine("cpu", acceleration="check")
    assert (layer(checking).rgba == right.rgba).all() and not caplog.records, "what is right is not reported"
    wrong(monkeypatch, 1e-6)
    assert (layer(checking).rgba == right.rgba).all()
    (report,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "UNet2DConditionModel" in report and "(2, 16, 16, 16) float32" in report and "differs by up to 1" in report


class Network(nn.Module):
    """One product; counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0, 3.0]), requires_grad=False)
        self.calls = 0

    def forward(self, values: Tensor) -> Tensor:
        self.calls += 1
        return values * self.weight


@pytest.mark.parametrize(
    "way", [Accelerator, Recorded, Compiled, lambda: Checked(Recorded())], ids=["eager", "recorded", "compiled", "check"]
)
def test_every_way_gives_the_plain_result_and_hears_of_edited_weights(way: Callable[[], Accelerator]) -> None:
    network, accelerator = Network(), way()
    for seed in range(4):
        if seed == 2:
            network.weight.data = torch.tensor([5.0, 7.0])
            accelerator.edited(network)
        values = torch.randn(2, generator=torch.Generator().manual_seed(seed))
        found = accelerator.call(network, network, [values], constant=1)
        assert torch.equal(found, values * network.weight)
    accelerator.release()
    accelerator.wait()
    assert accelerator.kept_bytes == 0


@pytest.mark.parametrize(("hints", "calls"), [({}, 1), ({"pure": False}, 3), ({"once": True}, 3)])
def test_what_is_not_pure_or_comes_once_a_picture_is_called_on_a_cpu(hints: dict[str, bool], calls: int) -> None:
    network, accelerator = Network(), Recorded()
    for _ in range(3):
        accelerator.call(network, network, [torch.ones(2)], **hints)
    assert network.calls == calls


def test_a_result_of_another_shape_is_a_difference_too(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Accelerator):
        def call(self, network: nn.Module, function: Any, inputs: Any, **hints: Any) -> Tensor:
            return torch.ones(3, 1)

    network = Network()
    assert torch.equal(Checked(Broken()).call(network, network, [torch.ones(2)]), network.weight)
    assert "its shape is (3, 1), not (2,)" in caplog.text
