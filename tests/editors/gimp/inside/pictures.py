"""Images for the checks, and what is in their layers. The same for the real GIMP and for the fake of the unit tests."""

from __future__ import annotations

import contextlib

from gi.repository import Gegl, Gimp

RGBA8 = "R'G'B'A u8"


@contextlib.contextmanager
def new_image(width=96, height=80, *, base=Gimp.ImageBaseType.RGB, precision=Gimp.Precision.U8_NON_LINEAR):
    """An image with one opaque layer, selected, whose every pixel differs from its neighbours; deleted afterwards."""
    image = Gimp.Image.new_with_precision(width, height, base, precision)
    kind = Gimp.ImageType.GRAYA_IMAGE if base == Gimp.ImageBaseType.GRAY else Gimp.ImageType.RGBA_IMAGE
    layer = Gimp.Layer.new(image, "paper", width, height, kind, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    put(layer, pattern(width, height))
    image.set_selected_layers([layer])
    try:
        yield image, layer
    finally:
        if image.is_valid():
            image.delete()


def pattern(width: int, height: int, alpha=lambda x, y: 255) -> bytes:
    return bytes(
        v for y in range(height) for x in range(width) for v in (x * 7 & 255, y * 11 & 255, x * y & 255, alpha(x, y) & 255)
    )


def put(layer, data: bytes, babl: str = RGBA8) -> None:
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height()), babl, data)
    buffer.flush()
    layer.update(0, 0, layer.get_width(), layer.get_height())


def pixels(drawable, babl: str | None = RGBA8) -> bytes:
    whole = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(whole, 1.0, babl, Gegl.AbyssPolicy.NONE))


def done(work):
    """The result of work that is done a few rows at a time."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def offsets(layer) -> tuple[int, int]:
    return tuple(layer.get_offsets())[1:]


def names(items) -> list[str]:
    return [item.get_name() for item in items]
