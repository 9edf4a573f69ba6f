"""A picture with transparency on GIMP's own checkerboard, scaled to fit a square of the dialog.

Does not know where the picture comes from. Imported only when there is a screen.
"""

from __future__ import annotations

from acetate.protocol import Image, Layer
from gi.repository import GdkPixbuf, Gimp, GimpUi, GLib, Gtk

from . import pixels

SIDE = 256
"""The side of the square in pixels."""


class PreviewPane:
    """`.widget` is what to pack. GIMP's preview area draws: Python's cairo, needed to draw by hand, is often missing."""

    def __init__(self) -> None:
        self._area = GimpUi.PreviewArea(halign=Gtk.Align.CENTER, valign=Gtk.Align.CENTER)
        self._area.connect("size-allocate", lambda *_: self._draw())
        self.widget = Gtk.Frame(shadow_type=Gtk.ShadowType.IN, valign=Gtk.Align.START)
        self.widget.set_size_request(SIDE + 4, SIDE + 4)
        self.widget.add(self._area)
        self.clear(1, 1)
        self.widget.show_all()

    def clear(self, width: int, height: int) -> None:
        """Show an empty checkerboard with the proportions of the picture to come."""
        width, height = fitted(width, height)
        self._set(width, height, bytes(width * height * 4))

    def show(self, image: Image) -> None:
        width, height = fitted(image.width, image.height)
        self._set(width, height, tight(scaled(image, width, height)))

    def show_placed(self, image: Image, layer: Layer) -> None:
        """Show a layer's crop where it lies in the layer's box."""
        box = layer.box
        width, height = fitted(box.width, box.height)
        factor = width / box.width
        whole = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, width, height)
        whole.fill(0)
        x, y = min(width - 1, round((layer.x - box.x) * factor)), min(height - 1, round((layer.y - box.y) * factor))
        w, h = max(1, min(width - x, round(image.width * factor))), max(1, min(height - y, round(image.height * factor)))
        scaled(image, w, h).copy_area(0, 0, w, h, whole, x, y)
        self._set(width, height, tight(whole))

    def _set(self, width: int, height: int, data: bytes) -> None:
        self._size, self._data = (width, height), data
        self._area.set_size_request(width, height)
        self._draw()

    def _draw(self) -> None:
        width, height = self._size
        self._area.draw(0, 0, width, height, Gimp.ImageType.RGBA_IMAGE, self._data, width * 4)


def fitted(width: int, height: int, side: int = SIDE) -> tuple[int, int]:
    """The size with the same proportions whose longer side is `side`."""
    longest = max(width, height)
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def scaled(image: Image, width: int, height: int) -> GdkPixbuf.Pixbuf:
    """A picture in any of `BABL`'s formats at another size; GdkPixbuf weighs colours by their alpha."""
    data = pixels.in_eight_bits(image)
    whole = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, True, 8, image.width, image.height, image.width * 4
    )
    return whole.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)


def tight(pixbuf: GdkPixbuf.Pixbuf) -> bytes:
    """The pixbuf's RGBA rows, which have no padding as their pixels have four bytes."""
    return bytes(pixbuf.get_pixels())
