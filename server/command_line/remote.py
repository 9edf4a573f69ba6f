"""Run the engine's requests on a running server, whose models are warm: the same bytes as running alone.

Knows the engine's values and the client; knows no engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import cast

import numpy as np
from acetate import protocol
from acetate.engine import BadRequest, EngineError, Picture, Progress, Request
from acetate.protocol import Address, Client, Condition, Failure, Image, Parameters, ProtocolError
from acetate.raster import RGBA
from acetate.vocabulary.parameters import values_of
from acetate.vocabulary.roles import PICTURES, Role

from ..failures import engine_errors

ERRORS: dict[str, type[EngineError]] = {**engine_errors(), "bad-message": BadRequest, "too-large": BadRequest}
"""The engine's error for each failure code that stands for one."""


class RemoteServer:
    """A server that answers on this computer."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def generate(self, request: Request) -> Iterator[Progress | Picture]:
        """Yield what `Engine.run` would, but without previews. Closing the iterator cancels. Raises `EngineError`."""
        client = Client(f"command line {version('acetate')}", address=self.address)
        try:
            client.wait_until_connected()
            asked, references = Parameters(**values_of(request)), [_condition(rgba) for rgba in request.references]
            for event in client.run(request.task, asked, _conditions(request), references=references, crop=False):
                if isinstance(event, protocol.Progress):
                    yield Progress(stage=event.stage, step=event.step, steps=event.steps, fraction=event.fraction)
                elif isinstance(event, protocol.LayerReady):
                    yield _picture(event)
                elif isinstance(event, protocol.Failed):
                    raise _error(event.failure)
                elif isinstance(event, protocol.Cancelled):
                    raise EngineError("the server cancelled the job", "It may have been stopped. Start it again: acetate serve")
        except ProtocolError as error:
            raise _error(error.failure) from error
        finally:
            client.close()


def running_server() -> RemoteServer | None:
    """The server that the environment names, or that runs on this computer and speaks our protocol; `None` if there is none.

    Raises `ProtocolError` if one is named that cannot be reached with it.
    """
    if (chosen := protocol.chosen_address()) is not None:
        return RemoteServer(chosen)
    running = protocol.running_server()
    if running is None or running.protocol != protocol.VERSION:
        return None
    return RemoteServer(running.address) if protocol.answers(running.address) else None


def _conditions(request: Request) -> dict[str, Condition]:
    conditions: dict[str, Condition] = {}
    for role in PICTURES:
        rgba = getattr(request, role)
        if rgba is not None:
            conditions[role] = _condition(rgba)
    if request.deep_source is not None:  # the server says if it cannot keep that
        deep = request.deep_source
        format = "rgba16" if deep.dtype == np.uint16 else "rgbaf32"
        conditions["source"] = Condition(Image(deep.shape[1], deep.shape[0], format, deep.tobytes()))
    if request.mask is not None:
        mask = request.mask
        conditions["mask"] = Condition(Image(mask.shape[1], mask.shape[0], "gray8", mask.tobytes()))
    return conditions


def _condition(rgba: RGBA) -> Condition:
    return Condition(Image(rgba.shape[1], rgba.shape[0], "rgba8", rgba.tobytes()))


def _picture(event: protocol.LayerReady) -> Picture:
    layer = event.layer
    rgba = np.frombuffer(bytearray(event.data), np.uint8).reshape(layer.height, layer.width, 4)
    return Picture(
        rgba=rgba,
        role=cast(Role, layer.role),
        index=layer.picture,
        seed=layer.seed,
        parameters=layer.parameters,
        quality=layer.quality,
        warnings=layer.warnings,
        hidden=layer.reference,
    )


def _error(failure: Failure) -> EngineError:
    return ERRORS.get(failure.code, EngineError)(failure.message, failure.hint)
