"""Floors against sums done by hand."""

from __future__ import annotations

import torch
from acetate.engine.benchmark.counts import Operation
from acetate.engine.benchmark.roofline import Peak, floor_seconds, peak_of


def test_the_floor_is_the_slower_of_arithmetic_and_traffic_of_each_operation() -> None:
    peak = Peak("a card", flop_rate=10.0, byte_rate=5.0)
    operations = [Operation(100, 5, heavy=True), Operation(10, 50, heavy=True), Operation(0, 15, heavy=False)]
    assert floor_seconds(operations, peak) == 10 + 10 + 3
    assert floor_seconds(operations, peak, fused=True) == 10 + 10


def test_a_cpus_peak_is_measured() -> None:
    peak = peak_of(torch.device("cpu"))
    assert peak is not None and peak.flop_rate > 1e8 and peak.byte_rate > 1e8
