"""One connected client as the jobs see it: what it is told goes into its outbox, in its encoding. Knows no socket."""

from __future__ import annotations

from collections.abc import Sequence

from acetate.protocol import Error, Failure, Layer
from acetate.protocol import messages as wire
from acetate.protocol.frames import PreviewFrame, ThumbnailFrame
from acetate.protocol.link import Link

from ..people.tokens import Person
from ..storage.blobs import Blobs
from ..storage.rows import Thumbnail
from .blob_stream import file_frames, layer_frames, small_frame
from .outbox import Frames, Outbox, OutgoingFrame

JobEnd = wire.Finished | wire.Failed | wire.Cancelled


class Subscriber:
    """A connected client. `person` owns its jobs, its `session` has their turns in the queue; its `name` is for the log.
    `encodings` are those that it takes, the one it likes best first."""

    def __init__(self, owner: Person, session: str, name: str, encodings: Sequence[str], outbox: Outbox, blobs: Blobs) -> None:
        self.person, self.session, self.name, self.outbox = owner.name, session, name, outbox
        self.sees_only = None if owner.admin else owner.name
        """The person whose jobs it may see; `None` for all, as an admin."""
        self.link = Link(encodings)
        """How fast the client takes what it is sent."""
        self._blobs = blobs
        self._undelivered: dict[str, Failure] = {}
        """Why a layer or the file of a job could not be delivered, by job, until its end is told."""

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
        self.outbox.live(preview.job, "preview", small_frame(preview, rgba, self.link.encoding))

    def show_thumbnail(self, job: str, index: int, small: Thumbnail) -> None:
        """Send a layer of a finished job as a small picture."""
        header = ThumbnailFrame(job, small.width, small.height, len(small.rgba), index=index)
        self.outbox.answer(small_frame(header, small.rgba, self.link.encoding))

    def give_layer(self, layer: Layer, format: wire.LayerFormat, offset: int = 0) -> None:
        """Send a layer and its pixels from a byte on, converted to the format, after all that was given before."""

        def broken(failure: Failure) -> Error:
            self._undelivered.setdefault(layer.job, failure)
            return Error(failure, Layer.TYPE, layer.job, index=layer.index)

        self.outbox.ordered(layer_frames(layer, self._blobs, format, self.link, broken, offset))

    def give_file(self, file: wire.File, offset: int = 0) -> None:
        """Send an exported file from a byte on, after all that was given before."""

        def broken(failure: Failure) -> Error:
            self._undelivered.setdefault(file.job, failure)
            return Error(failure, wire.File.TYPE, file.job)

        self.outbox.ordered(file_frames(file, self._blobs, self.link, broken, offset))

    def tell_end(self, message: JobEnd) -> None:
        """Send the end of a job, after all layers that were given before. One that has finished has failed for a client to whom
        not everything could be delivered."""
        self.outbox.forget_live(message.job)
        self.outbox.ordered(EndOfJob(message, self._undelivered))


class EndOfJob(Frames):
    """The last message about a job: which it is, is known only when everything before has been sent."""

    def __init__(self, message: JobEnd, undelivered: dict[str, Failure]) -> None:
        self._message: JobEnd | None = message
        self._undelivered = undelivered

    async def next(self) -> OutgoingFrame | None:
        message, self._message = self._message, None
        if message is None:
            return None
        failure = self._undelivered.pop(message.job, None)
        if failure is not None and isinstance(message, wire.Finished):
            message = wire.Failed(message.job, failure)
        return wire.to_text(message)
