from __future__ import annotations

import importlib.util

import pytest
from acetate.server.commands import bench_ray
from acetate.server.commands.bench_ray import RayTimes, measure, rows


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is an extra: pip install 'acetate[ray]'")
def test_every_number_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of nine tenths of a second cannot be done more often than that."""
    monkeypatch.setattr(bench_ray, "JOBS", 1)
    (one,) = measure((1,), repeats=1)

    assert one.workers == 1 and one.local_overhead > 0 and one.ray_overhead > 0
    assert 0 < one.local_rate < 1.2 and 0 < one.ray_rate < 1.2


def test_rates_stand_beside_what_as_many_workers_could_do_at_best() -> None:
    table = rows([RayTimes(1, 10, 15, 1.0, 0.9), RayTimes(4, 10, 15, 3.9, 3.6)])

    assert table == [
        ("job at 1024 x 1024: overhead", "10.0 ms", "15.0 ms"),
        ("1 worker", "1.00 jobs/s = 1.00 N", "0.90 jobs/s = 1.00 N"),
        ("4 workers", "3.90 jobs/s = 0.97 N", "3.60 jobs/s = 1.00 N"),
    ]
