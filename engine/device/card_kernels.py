"""Whether the installed build of torch has kernels for a card, and which build has.

Without them the first kernel fails in the middle of a job: "no kernel image is available for execution on the device".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch

from ..values.errors import BadRequest

Capability = tuple[int, int]
"""NVIDIA's number of a card's generation: (7, 5) of an RTX 20, (12, 0) of an RTX 50."""

BUILDS: tuple[tuple[Capability, str], ...] = (
    ((7, 5), "cu128 or newer"),
    ((5, 0), "cu126"),
)
"""The lowest capability -> the build of torch 2.11 and later that has kernels from there on, as PyTorch's site calls it. No build
has any for older cards."""

_ARCHITECTURE = re.compile(r"(sm|compute)_(\d+)(\d)([af]?)$")


def covers(architectures: Sequence[str], capability: Capability) -> bool:
    """Whether kernels of one of these architectures, as `torch.cuda.get_arch_list` names them, run on a card.

    Machine code (`sm_86`) runs on its own generation from its number on; `sm_90a` on that number alone, `sm_100f` as the first.
    PTX (`compute_90`) is compiled by the driver for every later card.
    """
    for architecture in architectures:
        if (match := _ARCHITECTURE.match(architecture)) is None:
            continue
        kind, made_for, kin = match[1], (int(match[2]), int(match[3])), match[4]
        same = made_for == capability
        later = made_for <= capability
        if same or (kin != "a" and later and (kind == "compute" and not kin or made_for[0] == capability[0])):
            return True
    return False


def build_for(capability: Capability) -> str:
    """The build of torch that has kernels for a card; empty where none has."""
    return next((build for lowest, build in BUILDS if capability >= lowest), "")


def remedy(capability: Capability) -> str:
    """What helps where kernels are missing."""
    build = build_for(capability)
    other = "take --device cpu"
    return (
        f"Install torch's build {build} (pytorch.org, Get Started), or {other}." if build else f"No build of torch has; {other}."
    )


def lack(device: torch.device) -> tuple[str, str]:
    """What is wrong with running on `device`, and what helps; two empty texts where nothing is."""
    if device.type != "cuda" or not (has := torch.cuda.get_arch_list()):
        return "", ""
    there = _rocm_name(device) in has if torch.version.hip else covers(has, torch.cuda.get_device_capability(device))
    return ("", "") if there else without_kernels(device)


def without_kernels(device: torch.device) -> tuple[str, str]:
    """What is wrong with a card that no kernel runs on, and what helps."""
    if device.type != "cuda":
        return f"this build of torch ({torch.__version__}) has no kernels for {device}", "take --device cpu"
    capability = torch.cuda.get_device_capability(device)
    number = _rocm_name(device) if torch.version.hip else f"compute capability {capability[0]}.{capability[1]}"
    message = f"this build of torch ({torch.__version__}) has no kernels for {torch.cuda.get_device_name(device)} ({number})"
    has = ", ".join(torch.cuda.get_arch_list())
    return message, f"It has them for {has}; take --device cpu." if torch.version.hip else remedy(capability)


def _rocm_name(device: torch.device) -> str:
    """AMD's name of a card's generation, `gfx1100`."""
    return str(torch.cuda.get_device_properties(device).gcnArchName).partition(":")[0]


def check(device: torch.device) -> None:
    """Raise `BadRequest` for a card that nothing would run on."""
    message, hint = lack(device)
    if message:
        raise BadRequest(message, hint)
