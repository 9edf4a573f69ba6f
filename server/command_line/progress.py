"""A progress bar on the terminal for whatever an engine or a server sends."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from acetate import engine


def shown(events: Iterable[engine.Progress | engine.Picture], *, quiet: bool = False) -> Iterator[engine.Picture]:
    """Pass pictures on and draw the progress, unless standard error is not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield from (event for event in events if isinstance(event, engine.Picture))
        return
    from rich.console import Console  # which takes a tenth of a refusal's time
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        for event in events:
            if isinstance(event, engine.Picture):
                yield event
            else:
                bar.update(task, completed=event.fraction, description=f"{event.stage} {event.step}/{event.steps}")
