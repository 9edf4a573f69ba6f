"""A small GIMP: images, layers, selections and undo, as far as the plug-in uses them.

Kept honest by `tests/editors/gimp/inside/contract.py`, whose claims hold here and in the real program. Its pixels have 8 bits a
channel in sRGB and nothing converts them; it shows nothing.
"""

from __future__ import annotations

import sys
import types
from typing import Any

PIXEL = {"R'G'B'A u8": 4, "Y u8": 1, "A u8": 4}


class Names(type):
    """An enumeration whose every value is its own name."""

    def __getattr__(cls, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


# --- GEGL ------------------------------------------------------------------------------------------------------------


class AbyssPolicy(metaclass=Names):
    pass


class Rectangle:
    def __init__(self, x: int, y: int, width: int, height: int) -> None:
        self.x, self.y, self.width, self.height = x, y, width, height

    new = classmethod(lambda cls, *sides: cls(*sides))


class Buffer:
    def __init__(self, width: int, height: int, size: int) -> None:
        self.width, self.height, self.size = width, height, size
        self.data = bytearray(size * width * height)

    def get(self, box: Rectangle, scale: float, babl: str | None, policy: str) -> bytes:
        assert babl is None or PIXEL[babl] == self.size, f"the fake converts nothing: {babl}"
        out = bytearray(self.size * box.width * box.height)
        for row in range(box.height):
            for left, right in self._columns(box, row):
                start = self.size * (row * box.width + left - box.x)
                here = self.size * ((box.y + row) * self.width + left)
                out[start : start + self.size * (right - left)] = self.data[here : here + self.size * (right - left)]
        return bytes(out[3::4] if babl == "A u8" else out)

    def set(self, box: Rectangle, babl: str, data: bytes) -> None:
        assert PIXEL[babl] == self.size, f"the fake converts nothing: {babl}"
        if len(data) != self.size * box.width * box.height:  # GEGL ignores anything else without a word
            return
        for row in range(box.height):
            for left, right in self._columns(box, row):
                start = self.size * (row * box.width + left - box.x)
                here = self.size * ((box.y + row) * self.width + left)
                self.data[here : here + self.size * (right - left)] = data[start : start + self.size * (right - left)]

    def copy(self, box: Rectangle, policy: str, target: Buffer, place: Rectangle) -> None:
        target.set(place, next(babl for babl, size in PIXEL.items() if size == self.size), self.get(box, 1.0, None, policy))

    def flush(self) -> None:
        """The fake writes at once."""

    def _columns(self, box: Rectangle, row: int) -> list[tuple[int, int]]:
        left, right = max(0, box.x), min(self.width, box.x + box.width)
        return [(left, right)] if 0 <= box.y + row < self.height and left < right else []


# --- GIMP ------------------------------------------------------------------------------------------------------------


class LayerMode(metaclass=Names):
    pass


class LayerColorSpace(metaclass=Names):
    pass


class ImageBaseType(metaclass=Names):
    pass


class ImageType(metaclass=Names):
    pass


class Precision(metaclass=Names):
    pass


class ChannelOps(metaclass=Names):
    pass


class MaskApplyMode(metaclass=Names):
    pass


class FileChooserAction(metaclass=Names):
    pass


class ParamFlags(metaclass=Names):
    pass


class Procedure:
    """Named in signatures only."""


class Choice:
    """The entries of an argument that is one of several."""

    def __init__(self) -> None:
        self.nicks: list[str] = []

    new = classmethod(lambda cls: cls())

    def add(self, nick: str, number: int, label: str, help: str) -> None:
        self.nicks.append(nick)


class Parasite:
    def __init__(self, name: str, flags: int, data: bytes) -> None:
        self.name, self._data = name, data

    new = classmethod(lambda cls, name, flags, data: cls(name, flags, data))

    def get_data(self) -> list[int]:
        return [byte - 256 if byte > 127 else byte for byte in self._data]  # as the binding gives them: signed


class Drawable:
    def __init__(self, image: Image, width: int, height: int, size: int) -> None:
        self.image, self._buffer = image, Buffer(width, height, size)

    def get_width(self) -> int:
        return self._buffer.width

    def get_height(self) -> int:
        return self._buffer.height

    def get_buffer(self) -> Buffer:
        return self._buffer

    def get_image(self) -> Image:
        return self.image

    def update(self, *_: int) -> None:
        """The fake shows nothing."""


class Layer(Drawable):
    children: list[Layer] | None = None

    def __init__(self, image: Image, name: str, width: int, height: int, kind: str, opacity: float, mode: str) -> None:
        super().__init__(image, width, height, 4)
        image.made += 1
        self.name, self.kind, self.tattoo = name, kind, image.made
        self.values: dict[str, Any] = {"opacity": opacity, "mode": mode, "visible": True, "offsets": (0, 0)}
        self.parasites: dict[str, Parasite] = {}
        self.parent: Layer | None = None
        self.removed = False

    @classmethod
    def new(cls, *given: Any) -> Layer:
        return cls(*given)

    @classmethod
    def new_from_drawable(cls, layer: Layer, image: Image) -> Layer:
        copy = Layer(image, layer.name, layer.get_width(), layer.get_height(), layer.kind, 100.0, "normal")
        copy._buffer.data[:] = layer._buffer.data
        return copy

    @classmethod
    def from_mask(cls, mask: Any) -> Layer | None:
        return None

    def __getattr__(self, name: str) -> Any:
        """`get_mode`, `set_mode` and their like; a change is an undo step once the layer is in the image."""
        kind, _, value = name.partition("_")
        if kind == "get":
            return lambda: self.values.get(value)
        if kind == "set":
            return lambda new: self.image.does(lambda: self.values.update({value: new}), self)
        raise AttributeError(name)

    def get_name(self) -> str:
        return self.name

    def get_offsets(self) -> tuple[bool, int, int]:
        return (True, *self.values["offsets"])

    def set_offsets(self, x: int, y: int) -> None:
        self.image.does(lambda: self.values.update(offsets=(x, y)), self)

    def transform_translate(self, x: int, y: int) -> None:
        self.set_offsets(self.values["offsets"][0] + x, self.values["offsets"][1] + y)

    def get_parent(self) -> Layer | None:
        return self.parent

    def get_children(self) -> list[Layer]:
        return list(self.children or ())

    def get_tattoo(self) -> int:
        return self.tattoo

    def is_group(self) -> bool:
        return self.children is not None

    def is_layer(self) -> bool:
        return True

    def is_layer_mask(self) -> bool:
        return False

    def is_valid(self) -> bool:
        return not self.removed and self.image.valid

    def attach_parasite(self, parasite: Parasite) -> None:
        self.parasites[parasite.name] = parasite

    def get_parasite(self, name: str) -> Parasite | None:
        return self.parasites.get(name)

    def add_alpha(self) -> None:
        """All layers of the fake have one."""

    def merge_filters(self) -> None:
        """There are none."""

    def has_alpha(self) -> bool:
        return True

    def get_filters(self) -> list[Any]:
        return []

    def resize(self, width: int, height: int, x: int, y: int) -> None:
        fresh = Buffer(width, height, 4)
        fresh.data[:] = self._buffer.get(Rectangle(-x, -y, width, height), 1.0, None, "none")
        self._buffer = fresh
        self.set_offsets(self.values["offsets"][0] - x, self.values["offsets"][1] - y)

    def get_mask(self) -> None:
        return None


class GroupLayer(Layer):
    @classmethod
    def new(cls, image: Image, name: str) -> GroupLayer:
        group = cls(image, name, 1, 1, "group", 100.0, LayerMode.PASS_THROUGH)
        group.children = []
        return group


class Image:
    def __init__(self, width: int, height: int, base: str, precision: str) -> None:
        self.size, self.base, self.precision = (width, height), base, precision
        self.layers: list[Layer] = []
        """The topmost first, as in every group."""
        self.selected: list[Layer] = []
        self.floating: Layer | None = None
        self.selection = Drawable(self, width, height, 1)
        self.valid, self.undoes, self.made, self._depth = True, True, 0, 0
        self.steps: list[Any] = []
        """What the image was before each undo step, the newest last."""

    @classmethod
    def new(cls, width: int, height: int, base: str) -> Image:
        return cls(width, height, base, Precision.U8_NON_LINEAR)

    @classmethod
    def new_with_precision(cls, *given: Any) -> Image:
        return cls(*given)

    # --- undo ---

    def does(self, change: Any, layer: Layer | None = None) -> bool:
        """Make a change, as an undo step of its own or in the open group; layers that are not in the image have no undo."""
        if self.undoes and not self._depth and (layer is None or layer in self._all()):
            self.steps.append(self._state())
        change()
        return True

    def undo_group_start(self) -> bool:
        if not self._depth:
            self.steps.append(self._state())
        self._depth += 1
        return True

    def undo_group_end(self) -> bool:
        if not self._depth:
            return False
        self._depth -= 1
        return True

    def undo_disable(self) -> None:
        self.undoes = False

    def undo_enable(self) -> None:
        self.undoes = True

    def undo(self) -> None:
        """GIMP has no procedure for it; a person presses Ctrl+Z."""
        assert not self._depth, "an undo group is open"
        self.base, tree, self.layers = self.steps.pop()
        for layer, values, children in tree:
            layer.values, layer.removed = values, False
            if children is not None:
                layer.children = children

    def _state(self) -> Any:
        tree = [(one, dict(one.values), None if one.children is None else list(one.children)) for one in self._all()]
        return self.base, tree, list(self.layers)

    def _all(self) -> list[Layer]:
        waiting, found = list(self.layers), []
        while waiting:
            found.append(waiting.pop())
            waiting += found[-1].get_children()
        return found

    # --- layers ---

    def insert_layer(self, layer: Layer, parent: Layer | None, position: int) -> bool:
        def put() -> None:
            (self.layers if parent is None else parent.children).insert(position, layer)  # type: ignore[union-attr]
            layer.parent, self.selected = parent, [layer]

        return self.does(put)

    def remove_layer(self, layer: Layer) -> bool:
        def take() -> None:
            (self.layers if layer.parent is None else layer.parent.children).remove(layer)  # type: ignore[union-attr]
            layer.removed = True

        return self.does(take)

    def get_layers(self) -> list[Layer]:
        return list(self.layers)

    def get_item_position(self, layer: Layer) -> int:
        return (self.layers if layer.parent is None else layer.parent.get_children()).index(layer)

    def get_selected_layers(self) -> list[Layer]:
        return list(self.selected)

    def set_selected_layers(self, layers: list[Layer]) -> None:
        self.selected = list(layers)

    def get_layer_by_tattoo(self, tattoo: int) -> Layer | None:
        return next((one for one in self._all() if one.tattoo == tattoo), None)

    def get_floating_sel(self) -> Layer | None:
        return self.floating

    # --- the image ---

    def get_width(self) -> int:
        return self.size[0]

    def get_height(self) -> int:
        return self.size[1]

    def resize(self, width: int, height: int, x: int, y: int) -> bool:
        assert (x, y) == (0, 0), "the fake's layers stay where they are"
        return self.does(lambda: setattr(self, "size", (width, height)))

    def get_base_type(self) -> str:
        return self.base

    def convert_rgb(self) -> bool:
        return self.does(lambda: setattr(self, "base", ImageBaseType.RGB))

    def get_precision(self) -> str:
        return self.precision

    def get_color_profile(self) -> None:
        return None

    def get_id(self) -> int:
        return id(self)

    def get_file(self) -> None:
        return None

    def get_selection(self) -> Drawable:
        return self.selection

    def select_rectangle(self, operation: str, x: int, y: int, width: int, height: int) -> None:
        buffer = self.selection.get_buffer()
        buffer.data[:] = bytes(len(buffer.data))
        buffer.set(Rectangle(x, y, width, height), "Y u8", b"\xff" * (width * height))

    def is_valid(self) -> bool:
        return self.valid

    def delete(self) -> None:
        self.valid = False


class Selection:
    @staticmethod
    def bounds(image: Image) -> tuple[bool, bool, int, int, int, int]:
        width, height = image.size
        spots = [i for i, value in enumerate(image.selection.get_buffer().data) if value]
        if not spots:
            return True, False, 0, 0, width, height
        columns, rows = [i % width for i in spots], [i // width for i in spots]
        return True, True, min(columns), min(rows), max(columns) + 1, max(rows) + 1


def _at_once(function: Any, *given: Any) -> int:
    """The fake has no main loop: what is to be done in its idle time is done now."""
    while function(*given):
        pass
    return 1


def installed() -> types.ModuleType:
    """Put the fake where `from gi.repository import Gimp` finds it; returns it, with what was shown of progress in `shown`."""
    gimp, gegl = types.ModuleType("Gimp"), types.ModuleType("Gegl")
    kinds = (LayerMode, LayerColorSpace, ImageBaseType, ImageType, Precision, ChannelOps, MaskApplyMode, FileChooserAction)
    for one in (*kinds, Procedure, Choice, Parasite, Layer, GroupLayer, Image, Selection):
        setattr(gimp, one.__name__, one)
    for one in (AbyssPolicy, Rectangle, Buffer):
        setattr(gegl, one.__name__, one)
    gimp.PARASITE_PERSISTENT, gimp.PARASITE_UNDOABLE = 1, 2
    gimp.shown = []
    for name in ("progress_init", "progress_set_text", "progress_pulse", "progress_update", "progress_end", "displays_flush"):
        setattr(gimp, name, lambda *said, name=name: gimp.shown.append((name, *said)))
    glib = types.ModuleType("GLib")
    glib.idle_add = _at_once
    repository = types.ModuleType("gi.repository")
    gobject = types.ModuleType("GObject")
    gobject.ParamFlags = ParamFlags
    repository.Gimp, repository.Gegl, repository.GLib, repository.GObject = gimp, gegl, glib, gobject
    repository.Gio = types.ModuleType("Gio")
    sys.modules["gi"], sys.modules["gi.repository"] = types.ModuleType("gi"), repository
    return gimp
