"""One connected client as the jobs see it: what it is told goes into its outbox, in its encoding. Knows no socket."""

from __future__ import annotations

from acetate.protocol import Layer
from acetate.protocol import messages as wire
from acetate.protocol.frames import PreviewFrame, ThumbnailFrame

from ..storage.blobs import Blobs
from ..storage.store import Thumbnail
from ..storage.tokens import Person
from .blob_stream import file_frames, layer_frames, small_frame
from .outbox import Outbox


class Subscriber:
    """A connected client. `person` owns its jobs, its `session` has their turns in the queue; its `name` is for the log."""

    def __init__(self, owner: Person, session: str, name: str, encoding: wire.Encoding, outbox: Outbox, blobs: Blobs) -> None:
        self.person, self.session, self.name, self.encoding, self.outbox = owner.name, session, name, encoding, outbox
        self.sees_only = None if owner.admin else owner.name
        """The person whose jobs it may see; `None` for all, as an admin."""
        self._blobs = blobs

    def sees(self, person: str) -> bool:
        """Whether it may see, and stop, this person's jobs."""
        return self.sees_only in (None, person)

    def tell(self, message: wire.ServerMessage) -> None:
        """Send an answer, or news that must not be lost or overtaken by progress."""
        self.outbox.answer(wire.to_text(message))

    def tell_progress(self, message: wire.Progress) -> None:
        """Send progress, unless newer progress of the job overtakes it."""
        self.outbox.live(message.job, "progress", wire.to_text(message))

    def show_preview(self, preview: PreviewFrame, rgba: bytes) -> None:
        """Send a preview, unless a newer one of the job overtakes it; `rgba` is straight 8-bit."""
        self.outbox.live(preview.job, "preview", small_frame(preview, rgba, self.encoding))

    def show_thumbnail(self, job: str, small: Thumbnail) -> None:
        header = ThumbnailFrame(job, small.width, small.height, len(small.rgba))
        self.outbox.answer(small_frame(header, small.rgba, self.encoding))

    def give_layer(self, layer: Layer, format: wire.LayerFormat) -> None:
        """Send a layer and its pixels, converted to the format, after all that was given before."""
        path = self._blobs.path(layer.sha256) if layer.bytes else None
        self.outbox.ordered(layer_frames(layer, path, format, self.encoding))

    def give_file(self, file: wire.File) -> None:
        """Send an exported file, after all that was given before."""
        self.outbox.ordered(file_frames(file, self._blobs.path(file.sha256), self.encoding))

    def tell_end(self, message: wire.Finished | wire.Failed | wire.Cancelled) -> None:
        """Send the end of a job, after all layers that were given before."""
        self.outbox.forget_live(message.job)
        self.outbox.ordered(wire.to_text(message))
