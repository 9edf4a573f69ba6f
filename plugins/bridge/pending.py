"""A result that is on its way: the job, what it is for, and how it ended. Knows what to tell a person; knows no editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from acetate.protocol import Failure, Image, LayerReady

from .form import Form
from .host import DocumentClosedError, JobPlan, RefusedError, UnwantedError
from .job_status import JobStatus
from .translations import marked, said

ResultState = Literal["reading", "waiting", "ready", "inserting", "writing", "over"]
IN_THE_HISTORY = marked("The result is in the history.")


@dataclass(eq=False)
class PendingResult:
    """One job from the click until its layers are in the document, or its file on the disk."""

    status: JobStatus
    document: Any = None
    """The editor's document; `None` when the result does not go into one that is open."""
    plan: JobPlan = field(default_factory=JobPlan)
    form: Form | None = None
    """What was asked for, in a generation."""
    save_as: Path | None = None
    """The file to write, in an export."""
    without: tuple[int, ...] = ()
    """The numbers of the layers that are not asked for again."""
    shows: Callable[[Sequence[LayerReady]], None] | None = None
    """Takes the layers that are only looked at."""
    state: ResultState = "waiting"
    mask: bytes = b""
    """The selection that was sent, where the plan restores what was not selected."""
    selection: Image | None = None
    """The selection under the plan's box, as `gray8`, where the plan cuts the result to it."""
    held: bool = False
    """Whether it waits for the artist's hand to be free."""
    chosen: bool = False
    """Whether the artist has asked for it to be put in now."""
    made: Any = None
    """What came of it: what the editor's `insert` returned, or the path of the file that was written."""
    error: BaseException | None = None
    """What went wrong on this side."""
    remarks: tuple[str, ...] = ()
    """What the artist should know about how it was put in."""
    stopped_at: float | None = None

    @property
    def job(self) -> str:
        return self.status.job or ""

    def asks_as(self, other: PendingResult) -> bool:
        """Whether it puts the same into the same place, so that once is enough."""
        if self.form is not None or self.shows is not None or other.shows is not None:
            return False
        mine, others = (self.without, self.plan.replaces), (other.without, other.plan.replaces)
        return self.document == other.document and mine == others

    @property
    def ready(self) -> bool:
        """Whether everything is there and only the moment is missing: the artist may have it now by `EditorJobs.insert_now`."""
        return self.state == "ready" or (self.state == "inserting" and self.held)

    @property
    def over(self) -> bool:
        return self.state == "over"

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything that the artist should know about the result, in the editor's language and without repetitions."""
        warnings = tuple(warning for ready in self.status.layers for warning in ready.layer.warnings)
        return tuple(dict.fromkeys((*self.remarks, *map(said, self.status.notes + warnings))))

    @property
    def failure(self) -> Failure | None:
        """Why there is no result, to be shown; `None` when there is one, or when the artist stopped it."""
        if self.error is None or isinstance(self.error, UnwantedError):
            return self.status.failure
        if isinstance(self.error, DocumentClosedError):
            return Failure("document-closed", marked("the document was closed in the meantime"), IN_THE_HISTORY)
        if isinstance(self.error, RefusedError):
            return refusal(self.error)
        return Failure("internal", f"{type(self.error).__name__}: {self.error}", IN_THE_HISTORY)


def refusal(refused: RefusedError) -> Failure:
    """A refusal as a failure: the first sentence is what happened, the rest what to do."""
    message, _dot, hint = str(refused).partition(". ")
    return Failure("refused", message.rstrip("."), hint)
