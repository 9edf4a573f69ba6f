"""Krita's side of a job: reading and inserting in short turns, at the artist's moment.

Knows the document and finished layers; knows no server and no widget. Imports nothing of Qt, so that it can be tested with a fake
Krita.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from acetate.plugins.bridge import placement
from acetate.plugins.bridge.host import DocumentClosedError, EditorHost, RefusedError, UnwantedError, Work
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.shape import mapped, place_of, shaped, with_pixels
from acetate.plugins.bridge.stack import Item, Sheet, sheets
from acetate.plugins.bridge.surroundings import STAYED, Move, move_between
from acetate.plugins.bridge.translations import _, marked
from acetate.protocol import Box, Image

from . import canvas
from .conditions import Source
from .inserting import insertion, masks, records
from .inserting.replacing import Pair

TO_BE_DRAGGED = marked(
    "It lies above your layer, which is the lowest one: Krita lets no plug-in put a layer below it. Drag it down."
)
WHEN_FREE = marked("Ready – it will be inserted when your hand is free")
LOOK_SECONDS = 0.1
"""How often to look whether the artist's hand is free."""

NO_DOCUMENT = marked("No document is open. Create or open one first.")


class KritaHost(EditorHost):
    """Layers are identities, except the one that is read.

    Krita has no groups of undo steps for plug-ins; `canvas.insert` changes the document once.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def check(self, document: Any) -> None:
        if document is None:
            raise RefusedError(_(NO_DOCUMENT))

    def is_open(self, document: Any) -> bool:
        return canvas.is_open(self._app, document)

    def read_layer(self, document: Any, layer: Source, box: Box) -> Work[Image]:
        if layer.deep:
            format, pixels = yield from canvas.read_native(layer.node, box)
            return Image(box.width, box.height, format, pixels)
        pixels = yield from canvas.read_layer(document, layer.node, box, unmasked=layer.unmasked)
        return Image(box.width, box.height, "bgra8", pixels)

    def read_selection(self, document: Any, box: Box) -> Work[Image]:
        return Image(box.width, box.height, "gray8", (yield from canvas.read_selection(document, box)))

    # --- the artist's hand: what Krita's own window knows of it ---

    def is_free(self, document: Any) -> bool:
        """Whether a change of the document would interrupt nothing that the artist is doing."""
        return True

    def moment(self, document: Any) -> Any:
        """How far the artist has worked on the document: another value after anything that he does to it."""
        return None

    def expect(self, steps: int) -> None:
        """So many steps of the undo history follow that are not the artist's."""

    def keep_pair(self, document: Any, pair: Pair) -> None:
        """Let undo and redo treat the pair as one step."""

    def activate_soon(self, document: Any, node: Any) -> None:
        """Make the layer the active one, as soon as Krita has done what it does by itself."""
        document.setActiveNode(node)

    def rest(self, seconds: float) -> None:
        """Let the present work go on only after that time."""

    def new_selection(self) -> Any:
        """A selection of Krita's, with nothing in it."""
        raise NotImplementedError

    def turned(self, sheet: Sheet, move: Move) -> Work[Sheet]:
        """A layer (`bgra8`) after the way that the canvas went: larger, smaller, turned or mirrored."""
        raise NotImplementedError

    # --- inserting ---

    def insert(self, result: PendingResult, item: Item) -> Work[Any]:
        """Put the item in; returns its node."""
        document, plan = result.document, result.plan
        yield from self._free_hand(result)
        if plan.mask_of is not None:
            return (yield from self._insert_mask(result, item))
        item, move = yield from self._carried(result, item)
        item, selection = yield from self._cut(result, item, move)
        version = self._version(result, move)
        below = plan.below is not None
        if below and insertion.is_lowest(document, plan.below):
            result.remarks += (_(TO_BE_DRAGGED),)
        work = insertion.insert(
            self._app,
            document,
            item,
            plan.anchor,
            below=below,
            version=version,
            selection=selection,
            pause=lambda: self._moment_of(result),
        )
        while True:
            before = canvas.active_layer(document)  # afterwards it may be the new one: Krita 5.3 is quick
            went_on = self._went_on(result, before)
            try:
                next(work)
            except StopIteration as stop:
                node = stop.value
                break
            yield
        records.remember_result(result, node, item)
        replaces = version is not None and plan.replaces is not None
        pair = Pair(plan.version_of or "", canvas.identity(node), hides=plan.hides is not None and version is not None)
        if version is not None and replaces:
            self.expect(1)
            version.of.remove()
        pair.canvas = self._show_all(result, node, item)
        if pair.hides or replaces or pair.canvas is not None:
            self.keep_pair(document, pair)
        stays = went_on and not (replaces and canvas.identity(before) == pair.old)
        self.activate_soon(document, before if stays else node)
        return node

    def _went_on(self, result: PendingResult, active: Any) -> bool:
        """Whether the artist has done anything since he asked, or another layer is active: then that one stays so."""
        if active is None:
            return False
        return canvas.identity(active) != result.plan.anchor or bool(self.moment(result.document) != result.plan.moment)

    def _moment_of(self, result: PendingResult) -> Generator[None, None, None]:
        yield from self._free_hand(result)
        self.expect(1)

    def _free_hand(self, result: PendingResult) -> Generator[None, None, None]:
        """Wait until the artist's hand is free, or he asks for the result."""
        text = result.status.text
        while not (result.chosen or self.is_free(result.document)):
            if result.status.stopping:
                raise UnwantedError
            if not self.is_open(result.document):
                raise DocumentClosedError
            if not result.held:
                result.held, result.status.text = True, _(WHEN_FREE)
                self.notify(result)
            self.rest(LOOK_SECONDS)
            yield
        if result.status.stopping:
            raise UnwantedError
        if result.held:
            result.held, result.status.text = False, text
            self.notify(result)

    def _version(self, result: PendingResult, move: Move) -> insertion.Version | None:
        """What the result is a new version of, if that is still there."""
        plan = result.plan
        old = canvas.find(result.document, plan.version_of) if plan.version_of is not None else None
        if old is None:
            return None
        unchanged = None
        if result.mask and plan.source_box is not None and move.only_shifts:
            unchanged = insertion.Unchanged(result.mask, move.box(plan.source_box))
        masks_too = old.type() == "paintlayer" or result.form is None
        return insertion.Version(old, masks=masks_too, hides=plan.hides is not None, unchanged=unchanged)

    def _carried(self, result: PendingResult, item: Item) -> Work[tuple[Item, Move]]:
        """The item where the canvas has taken its place in the meantime."""
        plan = result.plan
        if plan.surroundings is None or plan.box is None:
            return item, STAYED
        now = canvas.surroundings(result.document)
        move = move_between(plan.surroundings, now)
        if told := placement.gone(move, plan.box):
            result.remarks += (told,)
        if move == STAYED and plan.version_of in now.layers and plan.version_of in plan.surroundings.layers:
            was, there = plan.surroundings.layers[plan.version_of].origin, now.layers[plan.version_of].origin
            move = Move(x0=there[0] - was[0], y0=there[1] - was[1])  # a new version goes where the artist has moved the layer
        if move is None or move == STAYED:
            return item, STAYED
        moved = {}
        for sheet in sheets(item):
            if move.only_shifts:
                moved[id(sheet)] = with_pixels(sheet, sheet.ready.data, move.box(place_of(sheet)))
            else:
                moved[id(sheet)] = yield from self.turned(sheet, move)
        return mapped(item, lambda sheet: moved[id(sheet)]), move

    def _cut(self, result: PendingResult, item: Item, move: Move) -> Work[tuple[Item, Any | None]]:
        """The item cut to the selection that was there at the click; or, for a mask, that selection."""
        picture, box = result.selection, result.plan.box
        if picture is None or box is None or result.plan.clip == "no":
            return item, None
        if not move.only_shifts:
            result.remarks += (_("It was not cut to the selection, as the canvas was scaled or turned in the meantime."),)
            return item, None
        place = move.box(box)
        if result.plan.clip == "mask":
            return item, masks.filled(self.new_selection(), picture, place)
        cut = {}
        for sheet in sheets(item):
            inside = place_of(sheet).relative_to(place)
            cut[id(sheet)] = with_pixels(sheet, (yield from shaped(sheet.ready.data, picture, inside)))
        return mapped(item, lambda sheet: cut[id(sheet)]), None

    def _insert_mask(self, result: PendingResult, item: Item) -> Work[Any]:
        """Give the layer the result's transparency as a mask; returns the mask."""
        document, plan = result.document, result.plan
        owner = canvas.find(document, plan.mask_of)
        if owner is None:
            raise RefusedError(_("The layer that was to get the mask is gone. Select another one."))
        sheet = list(masks.shown(item))[-1]
        selection = masks.filled(self.new_selection(), masks.alpha_of(sheet), place_of(sheet))
        yield
        mask = masks.transparency_mask(document, sheet.name, selection)
        self.expect(1)
        owner.addChildNode(mask, None)
        self.activate_soon(document, owner)
        return mask

    def _show_all(self, result: PendingResult, node: Any, item: Item) -> tuple[int, int] | None:
        """Tell of a new layer that the artist does not see. Where he wants that, the canvas grows: returns its size before."""
        document, form = result.document, result.form
        if (group := canvas.hidden_group(node)) is not None:
            result.remarks += (_("The new layer is in the group “{name}”, which is hidden.").format(name=group.name()),)
        box = Box(0, 0, 0, 0)
        for sheet in sheets(item):
            box = box.union(place_of(sheet))
        whole = canvas.canvas_box(document)
        grown = whole.union(box)
        if result.plan.grows and grown != whole:
            self.expect(1)
            document.resizeImage(grown.x, grown.y, grown.width, grown.height)
            return whole.width, whole.height
        if told := placement.out_of_sight(box, whole, enlarged=form is not None and form.about.enlarges):
            result.remarks += (told,)
        return None
