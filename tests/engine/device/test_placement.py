"""Moving networks, on a device that is the CPU but whose tensors are copies: what moves, when, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from acetate.engine.device.accelerator import Accelerator
from acetate.engine.device.memory_plans import Offload
from acetate.engine.device.placement import Placement
from acetate.engine.weights.patch_keys import Diff
from acetate.engine.weights.patches import merge
from acetate.engine.weights.stored_weights import keep_narrow
from torch import Tensor, nn


class Network(nn.Module):
    """Two layers, one of them large enough for 8 bit, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 3, 3, padding=1)
        self.register_buffer("offset", torch.rand(1))
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.middle(self.conv_in(x)) + self.offset


class Copying(Placement):
    """Knows by storage what is "on the device"; counts transfers."""

    def __init__(self, groups: dict[str, list[nn.Module]]) -> None:
        super().__init__(groups, torch.device("cpu"))
        self._there.clear()
        self.uploaded: set[int] = set()
        self.downloads = 0
        self.fails_after: int | None = None

    @property
    def moves(self) -> bool:
        return True

    def upload(self, tensor: Tensor) -> Tensor:
        if self.fails_after == 0:
            raise torch.OutOfMemoryError("no room for a layer")
        self.fails_after = None if self.fails_after is None else self.fails_after - 1
        there = tensor.clone()
        self.uploaded.add(there.data_ptr())
        return there

    def download(self, tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in self.uploaded:
            return tensor
        self.downloads += 1
        return tensor.clone()

    def where(self) -> set[str]:
        """Groups whose weights are all uploaded copies."""
        return {
            group
            for group, networks in self.groups.items()
            if all(p.data_ptr() in self.uploaded for network in networks for p in network.parameters())
        }


@pytest.fixture
def placement() -> Copying:
    torch.manual_seed(0)
    return Copying({group: [Network()] for group in ("text", "unet", "pixels")})


@pytest.fixture
def answers(placement: Copying) -> Callable[[], bool]:
    """Whether every network still computes what it did."""
    x = torch.rand(1, 3, 4, 4)
    before = {group: networks[0](x) for group, networks in placement.groups.items()}

    def unchanged() -> bool:
        return all(torch.equal(networks[0](x), before[group]) for group, networks in placement.groups.items())

    return unchanged


ALL = {"text", "unet", "pixels"}
STAGES = ("text", "unet", "pixels", "unet", "text")


@pytest.mark.parametrize(
    ("offload", "seen"),
    [
        ("nothing", [{"text"}, {"text", "unet"}, ALL, ALL, ALL]),
        ("text", [{"text"}, {"unet"}, {"unet", "pixels"}, {"unet", "pixels"}, ALL]),
        ("stages", [{"text"}, {"unet"}, {"pixels"}, {"unet"}, {"text"}]),
        ("layers", [{"text"}, set(), {"pixels"}, set(), {"text"}]),
    ],
)
def test_each_plan_keeps_what_it_says(
    placement: Copying, answers: Callable[[], bool], offload: Offload, seen: list[set[str]]
) -> None:
    placement.arrange(offload)
    found = []
    for group in STAGES:
        placement.need(group)
        found.append(placement.where())
    assert found == seen
    assert answers()


def test_unchanged_weights_go_back_without_a_copy(placement: Copying, answers: Callable[[], bool]) -> None:
    host = [p.data_ptr() for p in placement.unet.parameters()]
    placement.arrange("stages")
    placement.need("unet")
    placement.need("pixels")
    assert [p.data_ptr() for p in placement.unet.parameters()] == host
    assert placement.downloads == 0
    assert answers()


def test_patched_weights_come_along(placement: Copying) -> None:
    placement.arrange("stages")
    with placement.editing():
        assert placement.where() == {"unet"}
        pristine = placement.unet.get_parameter("middle.weight").clone()
        change = torch.ones_like(placement.unet.get_parameter("middle.weight"))
        patch = merge(placement.unet, [Diff("middle.weight", "change")], {"change": change}, 1.0)
    patched = placement.unet.get_parameter("middle.weight").clone()
    placement.need("pixels")
    assert torch.equal(placement.unet.get_parameter("middle.weight"), patched)
    placement.need("unet")
    assert torch.equal(placement.unet.get_parameter("middle.weight"), patched)
    with placement.editing():
        patch.revert()
    placement.need("text")
    assert torch.equal(placement.unet.get_parameter("middle.weight"), pristine)


def test_layers_come_one_by_one_and_the_unet_can_still_be_edited(placement: Copying, answers: Callable[[], bool]) -> None:
    placement.arrange("layers")
    placement.need("unet")
    assert placement.unet.middle._diffusers_hook.hooks
    assert answers()
    with placement.editing():
        assert not placement.unet.middle._diffusers_hook.hooks
        assert placement.where() == set()
    placement.need("unet")
    assert answers()
    placement.arrange("nothing")
    placement.need("unet")
    assert answers()
    assert placement.where() == {"unet"}


def test_eight_bit_weights_are_undone_without_loss(placement: Copying, answers: Callable[[], bool]) -> None:
    placement.arrange("text", fp8=True)
    placement.need("unet")
    assert placement.unet.middle.weight.dtype == torch.float8_e4m3fn
    assert placement.unet.conv_in.weight.dtype == torch.float32
    x = torch.rand(1, 3, 4, 4)
    narrow = placement.unet(x)
    assert placement.unet.middle.weight.dtype == torch.float8_e4m3fn
    with placement.editing():
        wide = placement.unet(x)
    assert 0 < (narrow - wide).abs().max() < 0.1
    placement.arrange("nothing")
    assert answers()


def test_leaving_empties_the_device(placement: Copying, answers: Callable[[], bool]) -> None:
    for group in STAGES:
        placement.need(group)
    assert placement.bytes_on_device() > 0
    placement.leave()
    assert placement.where() == set()
    assert placement.bytes_on_device() == 0
    placement.need("unet")
    assert placement.where() == {"unet"}
    assert answers()


def test_graphs_of_the_unet_go_before_its_weights(placement: Copying) -> None:
    gone: list[set[str]] = []

    class Keeping(Accelerator):
        def release(self) -> None:
            gone.append(placement.where())

    placement.accelerator = Keeping()
    placement.arrange("stages")
    placement.need("unet")
    gone.clear()
    placement.need("pixels")
    assert gone == [{"unet"}]
    placement.leave()
    assert len(gone) == 2


def test_a_failed_move_leaves_everything_where_it_was(placement: Copying, answers: Callable[[], bool]) -> None:
    placement.arrange("stages")
    placement.fails_after = 2
    with pytest.raises(torch.OutOfMemoryError):
        placement.need("unet")
    assert placement.where() == set()
    assert not placement.uploaded & {p.data_ptr() for p in placement.unet.parameters()}
    placement.fails_after = None
    placement.need("unet")
    placement.need("text")
    assert answers()


def test_on_a_cpu_nothing_moves() -> None:
    network = Network()
    before = [p.data_ptr() for p in network.parameters()]
    placement = Placement({"text": [], "unet": [network], "pixels": []}, torch.device("cpu"))
    placement.arrange("layers", fp8=True)
    placement.need("unet")
    placement.leave()
    assert [p.data_ptr() for p in network.parameters()] == before
    assert placement.bytes_on_device() == sum(t.nbytes for t in [*network.parameters(), network.offset])


def test_weights_in_a_mapped_file_are_free_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    network = keep_narrow(nn.Sequential(nn.Linear(2, 2)).half(), torch.float32)
    cpu = Placement({"text": [], "unet": [network], "pixels": []}, torch.device("cpu"))
    assert cpu.bytes_on_device() == 2 * 4, "the bias"


def test_a_network_that_was_widened_on_the_device_comes_back_wide() -> None:
    network = nn.Linear(2, 2).half()
    placement = Copying({"pixels": [network], "unet": [nn.Linear(1, 1)], "text": []})
    placement.arrange("stages")
    placement.need("pixels")
    network.float()
    placement.need("unet")
    assert network.weight.dtype == torch.float32
