from __future__ import annotations

from acetate.server.commands.bench_wire import measure, rows


def test_every_number_is_measured_and_shown() -> None:
    """With a small picture; a transfer that takes less than a tenth of a plain copy has not happened."""
    times = measure((256,), repeats=3, seconds=0.2)
    (transfer,) = times.transfers

    assert times.connect > 0 and times.overhead > 0 and times.start > 0
    assert transfer.side == 256 and transfer.ratio > 0.1
    assert [wait.meanwhile for wait in times.waits] == ["idle", "rgba8", "bgra8", "rgba16", "rgbaf32", "history"]
    assert all(wait.questions >= 2 and 0 < wait.median <= wait.p99 for wait in times.waits)
    names = [name for name, _ in rows(times)]
    assert "layer of 256 x 256" in names and "another's answer, while a layer is taken as bgra8" in names
