"""The row that says what the window works on: the image, the layer with its thumbnail, what is selected, the size of the result.

Does not know what is generated.
"""

from __future__ import annotations

from acetate.plugins.bridge.translations import _, counted
from acetate.protocol import Box
from gi.repository import Gimp, GLib, Gtk, Pango

from ..widgets.layout import SPACING
from ..widgets.mnemonics import KEEP
from .target import Seen, Target

THUMBNAIL = 48
"""The side of the layer's thumbnail in pixels."""


class SubjectRow:
    """`.widget` is what to pack; `show` it again when the target has changed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._filling = False
        self._images: dict[str, str] = {}
        self._candidates: list[int] = []
        self._thumbnail = Gtk.Image(width_request=THUMBNAIL, height_request=THUMBNAIL)
        self._image_list = Gtk.ComboBoxText(tooltip_text=_("The image that the result goes into; follows the one you work in"))
        self._image_list.connect("changed", self._on_image)
        self._keep = Gtk.CheckButton(
            label=_(KEEP), use_underline=True, tooltip_text=_("Stay with this image when you turn to another")
        )
        self._keep.connect("toggled", self._on_keep)
        self._layer_list = Gtk.ComboBoxText(
            no_show_all=True, tooltip_text=_("Several layers are selected: the one that is meant")
        )
        self._layer_list.connect("changed", self._on_layer)
        self._line = Gtk.Label(xalign=0.0, ellipsize=Pango.EllipsizeMode.MIDDLE, width_chars=20)
        first = Gtk.Box(spacing=SPACING)
        first.pack_start(self._image_list, True, True, 0)
        first.pack_start(self._keep, False, False, 0)
        second = Gtk.Box(spacing=SPACING)
        second.pack_start(self._layer_list, False, False, 0)
        second.pack_start(self._line, True, True, 0)
        lines = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        lines.pack_start(first, False, False, 0)
        lines.pack_start(second, False, False, 0)
        self.widget = Gtk.Box(spacing=2 * SPACING)
        self.widget.pack_start(self._thumbnail, False, False, 0)
        self.widget.pack_start(lines, True, True, 0)
        self._place = ""
        self.show()

    def say(self, place: str) -> None:
        """Say where the result goes, after the layer and the selection."""
        if place != self._place:
            self._place = place
            self._write()

    def show(self) -> None:
        """Show what the target is now."""
        self._filling = True
        self._fill_images()
        self._fill_layers()
        self._filling = False
        self._picture()
        self._write()

    def _fill_images(self) -> None:
        images = {str(number): seen.name for number, seen in self._target.seen.items()}
        if images != self._images or not images:
            self._images = images
            self._image_list.remove_all()
            for number, name in images.items():
                alone = list(images.values()).count(name) == 1
                self._image_list.append(number, name if alone else f"{name}-{number}")  # as GIMP's own lists tell them apart
            if not images:
                self._image_list.append("", _("No image is open: a new one is made"))
        image = self._target.image
        self._image_list.set_active_id(str(image.get_id()) if image is not None else "")
        self._image_list.set_sensitive(len(images) > 1)
        self._keep.set_sensitive(bool(images))
        self._keep.set_active(self._target.keeps)

    def _fill_layers(self) -> None:
        candidates = self._target.candidates
        numbers = [layer.get_id() for layer in candidates]
        if numbers != self._candidates:
            self._candidates = numbers
            self._layer_list.remove_all()
            for layer in candidates:
                self._layer_list.append(str(layer.get_id()), layer.get_name())
        self._layer_list.set_visible(bool(candidates))
        layer = self._target.layer
        self._layer_list.set_active_id(str(layer.get_id()) if layer is not None else None)

    def _picture(self) -> None:
        layer, scale = self._target.layer, self._thumbnail.get_scale_factor()
        pixbuf = None
        if layer is not None and layer.is_valid():
            pixbuf = layer.get_thumbnail(THUMBNAIL * scale, THUMBNAIL * scale, Gimp.PixbufTransparency.SMALL_CHECKS)
        if pixbuf is None:
            self._thumbnail.set_from_icon_name("gimp-layer", Gtk.IconSize.DIALOG)
        else:
            self._thumbnail.set_from_gicon(pixbuf, Gtk.IconSize.DIALOG)
            self._thumbnail.set_pixel_size(THUMBNAIL)

    def _write(self) -> None:
        now = self._target.now
        parts = [self._layer_text(now), self._selection_text(now), self._place] if now is not None else [self._place]
        text = " · ".join(part for part in parts if part)
        self._line.set_text(text)
        self._line.set_tooltip_text(text)

    def _layer_text(self, now: Seen) -> str:
        layer = self._target.layer
        if layer is not None and layer.is_valid():
            size = f"{layer.get_width()} × {layer.get_height()}"
            return size if self._candidates else _("Layer {name}, {size}").format(name=layer.get_name(), size=size)
        if len(now.layers) > 1:
            return counted("{count} layer is selected", "{count} layers are selected", len(now.layers))
        return ""

    def _selection_text(self, now: Seen) -> str:
        return _("Selection {size}").format(size=size_of(now.selection)) if now.selection is not None else ""

    # --- the person --------------------------------------------------------------------------------------------------

    def _on_image(self, _list: Gtk.ComboBoxText) -> None:
        number = self._image_list.get_active_id()
        if number and not self._filling:
            self._target.keep_to(Gimp.Image.get_by_id(int(number)))
            GLib.idle_add(self.show)

    def _on_keep(self, _button: Gtk.CheckButton) -> None:
        if not self._filling:
            self._target.keeps = self._keep.get_active()

    def _on_layer(self, _list: Gtk.ComboBoxText) -> None:
        number = self._layer_list.get_active_id()
        if number and not self._filling:
            self._target.choose(Gimp.Layer.get_by_id(int(number)))
            GLib.idle_add(self.show)


def size_of(box: Box) -> str:
    """A box's size as people read it."""
    return f"{box.width} × {box.height}"
