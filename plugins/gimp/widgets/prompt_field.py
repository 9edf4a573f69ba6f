"""The field for the prompt: several lines, emphasis by keys, names completed. Knows text; does not know what it is for."""

from __future__ import annotations

from acetate.plugins.bridge.emphasis import emphasised
from gi.repository import Gdk, Gimp, GimpUi, Gtk

from .completing import Completing

LINES = 4
MARGIN = 4
EMPHASIS = {Gdk.KEY_Up: 1, Gdk.KEY_Down: -1}
"""With Ctrl: the weight of the word at the cursor, or of what is selected, a tenth up or down."""


class PromptField:
    """`.widget` is what to pack, `.view` what has the focus."""

    def __init__(self, config: Gimp.ProcedureConfig, name: str) -> None:
        text = GimpUi.prop_text_buffer_new(config, name, -1)
        margins = {f"{side}_margin": MARGIN for side in ("top", "bottom", "left", "right")}
        self.view = Gtk.TextView(buffer=text, wrap_mode=Gtk.WrapMode.WORD_CHAR, accepts_tab=False, **margins)
        self.completing = Completing(self.view)
        self.view.connect("key-press-event", self._on_key)
        self.widget = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, hscrollbar_policy=Gtk.PolicyType.NEVER)
        line = self.view.create_pango_layout("Ag").get_pixel_size()[1]
        self.widget.set_min_content_height(LINES * line + 2 * MARGIN)
        self.widget.add(self.view)

    def _on_key(self, _view: Gtk.TextView, event: Gdk.EventKey) -> bool:
        steps = EMPHASIS.get(event.keyval) if event.state & Gdk.ModifierType.CONTROL_MASK else None
        if steps is not None:
            self._emphasise(steps)
        return steps is not None

    def _emphasise(self, steps: int) -> None:
        buffer = self.view.get_buffer()
        bounds = buffer.get_selection_bounds()
        ends = bounds or (buffer.get_iter_at_mark(buffer.get_insert()),) * 2
        start, end = (place.get_offset() for place in ends)
        whole = buffer.get_text(buffer.get_start_iter(), buffer.get_end_iter(), False)
        edit = emphasised(whole, start, end, steps)
        if edit.text == whole:
            return
        buffer.set_text(edit.text)
        first, last = buffer.get_iter_at_offset(edit.start), buffer.get_iter_at_offset(edit.end)
        buffer.select_range(first, last)
