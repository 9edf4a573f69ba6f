"""Pictures with transparency on a checkerboard, at a place of fixed size, sharp on every screen.

GTK draws them as icons: it asks for twice the pixels on a screen of twice the density. Python's cairo, which drawing by hand
needs, is often missing. Does not know where a picture comes from.
"""

from __future__ import annotations

from acetate.plugins.bridge.pictures.expected_size import working_place
from acetate.protocol import Box, Image
from gi.repository import GdkPixbuf, Gio, GLib, Gtk

from .. import pixels
from .layout import height_of_screen

LARGE, SMALL = 256, 192
"""The side of the large preview's square in pixels; the smaller one for screens that are lower than `LOW`."""
LOW = 700
CHECK_SIZE, DARK_CHECK, LIGHT_CHECK = 8, 0x666666, 0x999999
"""GIMP's default checkerboard."""


class PreviewPane:
    """`.widget` is what to pack, `.side` the side of its square."""

    def __init__(self) -> None:
        self._frame = Box(0, 0, 1, 1)
        self._empty = True
        self._picture = Gtk.Image(halign=Gtk.Align.CENTER, valign=Gtk.Align.CENTER)
        self.widget = Gtk.Frame(shadow_type=Gtk.ShadowType.IN, valign=Gtk.Align.START)
        self.side = LARGE if height_of_screen(self._picture) >= LOW else SMALL
        self.widget.set_size_request(self.side + 4, self.side + 4)
        self.widget.add(self._picture)
        self.clear(1, 1)

    def clear(self, width: int, height: int) -> None:
        """Show an empty checkerboard with the proportions of the picture to come; what follows keeps its place and scale."""
        self._frame = Box(0, 0, max(1, width), max(1, height))
        self._draw(None, self._frame)

    def expect(self, width: int, height: int) -> None:
        """As long as no picture is shown, the checkerboard has the proportions of the one that would come."""
        if self._empty and (width, height) != (self._frame.width, self._frame.height):
            self.clear(width, height)

    def show_working(self, image: Image, *, from_nothing: bool) -> None:
        """Show what a model has so far, where the final picture will be."""
        self._draw(image, working_place(self._frame, image.width, image.height, from_nothing=from_nothing))

    def show_placed(self, image: Image, place: Box, whole: Box) -> None:
        """Show a layer's crop where it lies in the layer's box."""
        self._frame = Box(0, 0, whole.width, whole.height)
        self._draw(image, Box(place.x - whole.x, place.y - whole.y, place.width, place.height))

    def show_icon(self, picture: Gio.Icon) -> None:
        """Show what `icon` has made."""
        self._empty = False
        self._picture.set_from_gicon(picture, Gtk.IconSize.DIALOG)
        self._picture.set_pixel_size(self.side)

    def _draw(self, image: Image | None, place: Box) -> None:
        self.show_icon(icon(self._frame, image, place, self.side * self._picture.get_scale_factor()))
        self._empty = image is None


def icon(frame: Box, image: Image | None, place: Box, side: int) -> Gio.Icon:
    """A checkerboard of the frame's proportions, the image at `place` of the frame, in the middle of a square of `side` pixels.

    GTK gives every icon a square, and would draw a narrower one at its corner.
    """
    width, height = fitted(frame.width, frame.height, side)
    whole = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, width, height)
    whole.fill(0)
    if image is not None:
        factor = width / frame.width
        left, top = round((place.x - frame.x) * factor), round((place.y - frame.y) * factor)
        w, h = max(1, round(place.width * factor)), max(1, round(place.height * factor))
        inside = Box(left, top, w, h).intersection(Box(0, 0, width, height))
        if not inside.empty:
            picture = scaled(image, w, h)
            picture.copy_area(inside.x - left, inside.y - top, inside.width, inside.height, whole, inside.x, inside.y)
    checked = whole.composite_color_simple(width, height, GdkPixbuf.InterpType.NEAREST, 255, check(side), LIGHT_CHECK, DARK_CHECK)
    square = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, side, side)
    square.fill(0)
    checked.copy_area(0, 0, width, height, square, (side - width) // 2, (side - height) // 2)
    saved, data = square.save_to_bufferv("png", ["compression"], ["1"])
    assert saved, "GdkPixbuf always writes PNG"
    return Gio.BytesIcon.new(GLib.Bytes.new(data))


def check(side: int) -> int:
    """The side of a check: GIMP's on a usual screen, twice that on one of twice the density. A power of two."""
    return CHECK_SIZE * (2 if side > LARGE else 1)


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
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
