from __future__ import annotations

from acetate.server.commands.bench_wire import measure, rows


def test_every_number_is_measured_and_shown() -> None:
    """With a small picture; a transfer that takes less than a tenth of a plain copy has not happened."""
    times = measure((256,), repeats=3)
    (transfer,) = times.transfers

    assert times.connect > 0 and times.overhead > 0 and times.start > 0
    assert transfer.side == 256 and transfer.ratio > 0.1
    assert [name for name, _ in rows(times)][-1] == "layer of 256 x 256"
