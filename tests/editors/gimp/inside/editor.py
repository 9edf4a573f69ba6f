"""The few words in which the checks speak to GIMP and to the server. Imported inside GIMP, with the plug-in on the path."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from acetate.protocol import Client, HistoryPage, LayerReady
from gi.repository import Gimp
from pictures import RGBA8, done, names, new_image, offsets, pattern, pixels, put

__all__ = ["RGBA8", "done", "names", "new_image", "offsets", "pattern", "pixels", "put"]  # beside what is written here
OUT = Path(os.environ["OUT"])
"""Files left here are looked at outside."""
FAKE = os.environ["ENGINE"] == "fake"
PATIENCE = 120.0
"""Seconds that the server may take to answer: on a loaded machine, plenty."""
FEW_STEPS = 3
"""What is drawn does not matter to most claims."""


@dataclass
class Result:
    """What a procedure answered."""

    status: Gimp.PDBStatusType
    layers: list[Gimp.Layer]
    error: str

    def required(self) -> Result:
        assert int(self.status) == int(Gimp.PDBStatusType.SUCCESS), f"{self.status.value_nick}: {self.error}"
        return self

    @property
    def layer(self) -> Gimp.Layer:
        assert len(self.layers) == 1, [layer.get_name() for layer in self.layers]
        return self.layers[0]


def call(name: str, image=None, drawables=(), *, run_mode=Gimp.RunMode.NONINTERACTIVE, **arguments) -> Result:
    """Call a procedure as a script would; underscores in argument names stand for dashes."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    if any(argument.name == "steps" for argument in procedure.get_arguments()):
        arguments.setdefault("steps", FEW_STEPS)
    config.set_property("run-mode", run_mode)
    if image is not None:
        config.set_property("image", image)
        config.set_core_object_array("drawables", list(drawables))
    for argument, value in arguments.items():
        config.set_property(argument.replace("_", "-"), value)
    answer = procedure.run(config)
    status = answer.index(0)
    good = int(status) == int(Gimp.PDBStatusType.SUCCESS)
    layers = list(answer.get_core_object_array(1)) if good and answer.length() > 1 else []
    return Result(status, layers, "" if good else str(Gimp.get_pdb().get_last_error()))


def close_images() -> None:
    """Close all images with their windows, unsaved changes forgotten. Displays are numbered from 1."""
    images = Gimp.get_images()
    number = 0
    while any(image.is_valid() for image in images) and number < 1000:
        number += 1
        if Gimp.Display.id_is_valid(number):
            Gimp.Display.get_by_id(number).delete()


@contextlib.contextmanager
def client(format: str = "rgba8"):
    with Client("check", formats=(format,)) as connected:
        yield connected


def history() -> list:
    """The finished jobs, newest first."""
    with client() as connected:
        connected.history(thumbnails=False)
        while not isinstance(event := connected.events.get(timeout=PATIENCE), HistoryPage):
            pass
        return list(event.entries)


def sent(job: str, format: str = "rgba8") -> list[LayerReady]:
    """The layers of a finished job, fetched from the server a second time and apart from the plug-in."""
    with client(format) as connected:
        return [event for event in connected.follow(job, timeout=PATIENCE) if isinstance(event, LayerReady)]


def in_box(ready: LayerReady) -> bytes:
    """A sent crop in its whole box, transparent black around it: what the new layer must hold in 8 bits."""
    layer, box = ready.layer, ready.layer.box
    rows = bytearray(box.width * box.height * 4)
    for y in range(layer.height):
        start = ((layer.y - box.y + y) * box.width + layer.x - box.x) * 4
        rows[start : start + layer.width * 4] = ready.data[y * layer.width * 4 : (y + 1) * layer.width * 4]
    return bytes(rows)


def largest_difference(one: bytes, other: bytes) -> int:
    assert len(one) == len(other), (len(one), len(other))
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def record(layer) -> dict:
    """The generation parameters on a layer."""
    import json

    parasite = layer.get_parasite("acetate")
    assert parasite is not None, f"{layer.get_name()} carries no parasite"
    return json.loads(bytes(byte & 255 for byte in parasite.get_data()))
