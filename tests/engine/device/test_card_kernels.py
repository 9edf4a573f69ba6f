"""Whether a build of torch has kernels for a card: the rules of NVIDIA's architectures, on builds that are written down."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from acetate.engine import BadRequest
from acetate.engine.device.card_kernels import build_for, covers, without_kernels
from acetate.engine.device.devices import pick_device

CU126 = ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"]
CU128 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
CU130 = [*CU128, "compute_120"]


@pytest.mark.parametrize(
    ("card", "capability", "covered"),
    [
        ("GTX 970", (5, 2), (True, False, False)),
        ("GTX 1080", (6, 1), (True, False, False)),
        ("V100", (7, 0), (True, False, False)),
        ("GTX 1660", (7, 5), (True, True, True)),
        ("RTX 3090", (8, 6), (True, True, True)),
        ("RTX 4090", (8, 9), (True, True, True)),
        ("H200", (9, 0), (True, True, True)),
        ("B200", (10, 0), (False, True, True)),
        ("RTX 5090", (12, 0), (False, True, True)),
        ("GB10", (12, 1), (False, True, True)),
        ("a later card", (13, 0), (False, False, True)),
        ("K80", (3, 7), (False, False, False)),
    ],
)
def test_the_published_builds_run_on_the_cards_that_they_are_made_for(
    card: str, capability: tuple[int, int], covered: tuple[bool, ...]
) -> None:
    assert tuple(covers(build, capability) for build in (CU126, CU128, CU130)) == covered


@pytest.mark.parametrize(
    ("architecture", "runs", "fails"),
    [
        ("sm_86", (8, 9), (8, 0)),
        ("sm_80", (8, 9), (9, 0)),
        ("sm_90a", (9, 0), (9, 1)),
        ("sm_100f", (10, 3), (12, 0)),
        ("compute_90", (12, 0), (8, 9)),
        ("compute_90a", (9, 0), (10, 0)),
        ("compute_100f", (10, 3), (12, 0)),
    ],
)
def test_machine_code_stays_in_its_generation_and_ptx_goes_on(
    architecture: str, runs: tuple[int, int], fails: tuple[int, int]
) -> None:
    assert covers([architecture], runs) and not covers([architecture], fails)


@pytest.mark.parametrize("capability", [(5, 0), (6, 1), (7, 0), (7, 5), (8, 9), (9, 0), (12, 0)])
def test_the_build_that_is_named_has_the_kernels(capability: tuple[int, int]) -> None:
    builds = {"cu126": CU126, "cu128 or newer": CU128}
    assert covers(builds[build_for(capability)], capability)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A GTX 1080 under the build of torch that comes by itself."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA GeForce GTX 1080")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (6, 1))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: CU130)
    monkeypatch.setattr(torch, "__version__", "2.11.0+cu130")
    return monkeypatch


@pytest.mark.parametrize("name", [None, "cuda", "cuda:0"])
def test_a_card_without_kernels_is_refused_with_the_build_that_has_them(card: pytest.MonkeyPatch, name: str | None) -> None:
    with pytest.raises(BadRequest) as refused:
        pick_device(name)
    expected = r"this build of torch (2.11.0+cu130) has no kernels for NVIDIA GeForce GTX 1080 (compute capability 6.1)"
    assert str(refused.value) == expected
    assert refused.value.hint == "Install torch's build cu126 (pytorch.org, Get Started), or take --device cpu."
    assert pick_device("cpu") == torch.device("cpu")


def test_a_card_that_no_build_has_kernels_for_hears_that(card: pytest.MonkeyPatch) -> None:
    card.setattr(torch.cuda, "get_device_capability", lambda device: (3, 7))
    with pytest.raises(BadRequest) as refused:
        pick_device("cuda")
    assert refused.value.hint == "No build of torch has; take --device cpu."


def test_a_card_with_kernels_is_taken(card: pytest.MonkeyPatch) -> None:
    card.setattr(torch.cuda, "get_arch_list", lambda: CU126)
    assert pick_device() == torch.device("cuda")


def test_a_kernel_that_is_missing_all_the_same_is_told_so_anywhere(card: pytest.MonkeyPatch) -> None:
    assert "no kernels for NVIDIA GeForce GTX 1080" in without_kernels(torch.device("cuda"))[0]
    assert without_kernels(torch.device("xpu"))[1] == "take --device cpu"


def test_rocm_names_its_cards_otherwise(card: pytest.MonkeyPatch) -> None:
    card.setattr(torch.version, "hip", "7.0")
    card.setattr(torch.cuda, "get_arch_list", lambda: ["gfx1030", "gfx1100"])
    card.setattr(torch.cuda, "get_device_name", lambda device: "AMD Radeon")
    own = ["gfx1100"]
    card.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(gcnArchName=f"{own[0]}:sramecc-:xnack-"))
    assert pick_device() == torch.device("cuda")
    own[0] = "gfx803"
    with pytest.raises(BadRequest, match=r"no kernels for AMD Radeon \(gfx803\)"):
        pick_device()
