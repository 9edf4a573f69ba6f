"""An editor and a client that write down what they are asked to do: enough to drive a job from the click to the layer."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import EditorHost, JobPlan, RefusedError, UnwantedError, Wording
from acetate.plugins.bridge.job import EditorJobs
from acetate.protocol import Box, Finished, Group, Image, Layer, LayerReady, Queued

WORDING = Wording(
    nothing_selected="Nothing is selected. Select something.",
    nothing_arrived="Nothing arrived. Try again.",
    all_transparent="All is transparent. Try another seed.",
    foreign_file="{name} is not a picture. Choose another.",
    unreadable="{name} cannot be read: {reason}. Choose another file.",
    unwritable="{path} cannot be written: {reason}. Choose another folder.",
    empty_file="{name} is empty. Choose another file.",
)


@dataclass(eq=False)
class FakeDocument:
    """Layers, lowest first, and an undo history of which each step is the names of the layers before it."""

    layers: list[str] = field(default_factory=lambda: ["paper"])
    open: bool = True
    steps: int = 0
    """Undo steps that were made."""
    in_step: bool = False


class FakeClient:
    """Writes down the calls, as (name, arguments)."""

    def __init__(self):
        self.connected = True
        self.session = "this-editor"
        self.calls = []

    def __getattr__(self, name):
        return lambda *arguments, **named: self.calls.append((name, arguments, named))

    def asked(self, name):
        """The arguments of the calls of that name."""
        return [(arguments, named) for called, arguments, named in self.calls if called == name]


class FakeHost(EditorHost):
    """Works when it is told to (`work`) or at once; everything that it does to a document is written down in `done`."""

    wording = WORDING

    def __init__(self, *, at_once=True, lost_seconds=None, stop_seconds=None):
        self.lost_seconds, self.stop_seconds = lost_seconds, stop_seconds
        self.at_once = at_once
        self.waiting = []
        self.done = []
        self.seen = []
        """Every state that was told, as (job's state, text)."""
        self.mask = b"\0\xff\xff\0"
        self.pixel = b"\x00\x00\x00\xff"
        self.fails = None
        """What `insert` raises."""
        self.hand_busy = False
        """Whether `insert` waits for its moment."""
        self.asks_first = False
        """Whether a finished generation waits to be chosen."""

    def check(self, document):
        if document is None:
            raise RefusedError("No document is open. Open one.")

    def is_open(self, document):
        return document is not None and document.open

    def read_layer(self, document, layer, box):
        yield
        self.done.append(f"read {layer}")
        return Image(box.width, box.height, "rgba8", self.pixel * box.width * box.height)

    def read_selection(self, document, box):
        yield
        self.done.append("read selection")
        return Image(box.width, box.height, "gray8", self.mask)

    @contextlib.contextmanager
    def undo_step(self, document):
        assert not document.in_step, "the undo step before was never closed"
        document.in_step = True
        try:
            yield
        finally:
            document.in_step = False
            document.steps += 1

    def insert(self, result, item):
        document = result.document
        yield
        while self.hand_busy and not result.chosen:
            result.held = True
            yield
            if result.status.stopping:
                raise UnwantedError
        result.held = False
        assert document.in_step, "layers are inserted outside of an undo step"
        if self.fails is not None:
            raise self.fails
        document.layers.append(item.name)
        return [item.name]

    def inserts_at_once(self):
        return not self.asks_first

    def hide(self, layer):
        self.done.append(f"hide {layer}")

    def later(self, work, then):
        self._do(super().later, work, then)

    def on_thread(self, function, then):
        self._do(super().on_thread, function, then)

    def _do(self, how, *what):
        self.waiting.append((how, what))
        if self.at_once:
            self.work()

    def work(self):
        """Do everything that waits."""
        while self.waiting:
            how, what = self.waiting.pop(0)
            how(*what)

    def notify(self, result):
        self.seen.append((result.state, result.status.text))


def arrived(job, *, name="fig (7)", index=0, picture=0, data=bytes(range(16)), warnings=(), group=()):
    """A layer of 2 x 2 pixels as the client hands it over."""
    box = Box(0, 0, 2, 2)
    groups = tuple(Group(one, one) for one in group)
    layer = Layer(
        job, index, name, "foreground", 0, 0, 2, 2, box, "rgba8", len(data), "0" * 64, seed=7,
        group=groups, picture=picture, warnings=tuple(warnings),
    )  # fmt: skip
    return LayerReady(layer, data)


BOX = Box(0, 0, 2, 2)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Stage:
    """One document, one host, one client."""

    def __init__(self, **more):
        self.client, self.host, self.clock, self.document = FakeClient(), FakeHost(**more), Clock(), FakeDocument()
        self.jobs = EditorJobs(self.host, lambda: self.client, self.clock)

    def generate(self, *, task="foreground", document=..., **plan):
        chosen = self.document if document is ... else document
        form = Form(task=task, prompt="fig", seed=7)
        return self.jobs.generate(chosen, form, lambda: JobPlan(**{"box": BOX, "anchor": "paper", **plan}))

    def take(self, *events):
        for event in events:
            self.jobs.take(event)

    def finish(self, result, *layers):
        self.take(Queued(result.job, 0), *(layers or [arrived(result.job)]), Finished(result.job, 1, 2.0))
