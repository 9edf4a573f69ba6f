"""What counts as the same result: every bit on a CPU, and where kernels are joined all but rounding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from acetate.engine.acceleration import fused_operators
from acetate.engine.acceleration.agreement import ROUNDING, disagreement
from torch import Tensor

X = torch.linspace(1, 2, 64)


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if kernels were joined here."""
    monkeypatch.setattr(fused_operators, "available", lambda device: True)


def said(found: Tensor, function: Callable[[Tensor], Tensor] = torch.sqrt) -> str:
    return disagreement(found, function(X), [X], function)


def test_on_a_cpu_every_bit_counts() -> None:
    assert said(X.sqrt()) == ""
    assert "differs" in said(torch.nextafter(X.sqrt(), X))


def test_a_result_of_another_shape_or_of_no_numbers_is_another_one() -> None:
    assert "(8, 8)" in said(X.sqrt().reshape(8, 8)) and "(64,)" in said(X.sqrt().reshape(8, 8))
    assert said(torch.full((64,), float("nan")))


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize(("share", "agrees"), [(0.0, True), (0.9, True), (1.1, False), (100.0, False), (float("nan"), False)])
def test_joined_kernels_may_differ_by_a_hundredth_of_the_results_size(share: float, agrees: bool) -> None:
    result = X.sqrt()
    found = result + share * ROUNDING * result.square().mean().sqrt()
    assert (said(found) == "") is agrees


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize(("times", "agrees"), [(1.4, True), (1.6, False)])
def test_or_by_what_the_network_makes_of_an_input_that_is_rounded_otherwise(times: float, agrees: bool) -> None:
    """Random weights blow up one last bit to most of the result."""

    def chaotic(values: Tensor) -> Tensor:
        return ((values.double() - X.double()) * 1e7).float() + 1

    swayed = chaotic(X * (1 + torch.finfo(X.dtype).eps)) - chaotic(X)
    assert swayed.square().mean().sqrt() > 0.5
    assert (said(chaotic(X) + times * swayed, chaotic) == "") is agrees
