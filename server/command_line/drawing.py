"""Where a command draws: on a running server, or in an engine of its own. `--device`, `--alone` and how networks are run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from acetate.engine import Picture, Progress, Request
from acetate.vocabulary.tasks import TASKS

from . import engine_options

if TYPE_CHECKING:
    from acetate.engine.engine import Engine


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides where and how pictures are drawn."""
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps or xpu (default: the best one found)")
    engine_options.add_options(parser)
    parser.add_argument("--alone", action="store_true", help="do not use a running server")


class Drawing:
    """Draws one request after another; an engine of its own keeps its models."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options, self._how = options, engine_options.said(options)

    def events(self, request: Request) -> Iterator[Progress | Picture]:
        """Generate on a running server if there is one, as its models are warm, else here: the bytes are the same.

        A device that is asked for, or how networks are run, means an engine of this process. Nothing is begun before the first
        event is asked for: importing torch takes seconds, and whoever waits should see that something happens. What can be known
        to be wrong without it is said before.
        """
        from acetate.engine import validation
        from acetate.engine.device import device_names
        from acetate.engine.files.library import Library
        from acetate.engine.preflight import Preflight
        from acetate.engine.upscaling.upscale import interpolates

        device_names.check(self._options.device)
        validation.check(request)
        if TASKS[request.task].enlarges and interpolates(request):
            yield from Preflight(Library()).look(request).without_networks()
            return
        file = os.path.isabs(request.upscaler or "")  # this user's file, which the server's user may not see
        if not self._options.alone and self._options.device is None and not self._how and not file:
            from .remote import running_server

            server = running_server()
            if server is not None:
                yield from server.generate(request)
                return
        engine_options.refuse_idle(self._options, request.model)
        Preflight(Library()).look(request)
        yield from self._engine.run(request)

    @cached_property
    def _engine(self) -> Engine:
        from acetate.engine.engine import Engine

        return Engine(self._options.device, **self._how)
