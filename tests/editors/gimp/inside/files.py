"""Claims about layered files of ours in GIMP's own loaders; the plug-in has no part in it."""

from __future__ import annotations

import json
from contextlib import contextmanager

from editor import OUT, offsets, pixels
from gi.repository import Gimp, Gio


@contextmanager
def _opened(name: str):
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(OUT / name)))
    try:
        yield image
    finally:
        image.delete()


def _leave(name: str) -> None:
    """What GIMP shows of the file, and its layers from the top, with their pixels."""
    with _opened(name) as image:
        for number, layer in enumerate(image.get_layers()):
            (OUT / f"{name}-{number}.rgba").write_bytes(pixels(layer))
            layer.set_composite_space(
                Gimp.LayerColorSpace.RGB_PERCEPTUAL
            )  # GIMP opens OpenRaster in linear light, whatever it says
        layers = [[layer.get_name(), *offsets(layer), layer.get_width(), layer.get_height()] for layer in image.get_layers()]
        (OUT / f"{name}.json").write_text(json.dumps({"layers": layers, "size": [image.get_width(), image.get_height()]}))
        (OUT / f"{name}.rgba").write_bytes(pixels(Gimp.Layer.new_from_visible(image, image, "shown")))


def a_psd_of_ours_opens():
    _leave("ours.psd")


def an_openraster_file_of_ours_opens():
    _leave("ours.ora")
