"""What crosses the wire, and the client that speaks it. Standard library only; also copied into each plug-in.

    client = Client("krita 5.2 acetate 0.1", launch=["acetate", "serve"], formats=["bgra8"])
    client.connect()                                    # returns at once; finds, or starts, the server
    job = client.submit("foreground", Parameters(prompt="a red apple", seed=7), box=Box(0, 0, 512, 512))
    for event in client.poll():                         # from a timer on the host's own thread
        match event: Connected | Disconnected | Progress | Preview | LayerReady | Finished | Failed | Cancelled | …

* `Client(name, *, address=None, launch=None, session=None, formats=("rgba8",), encodings=("raw", "zlib"))`
  `.connect()`, `.wait_until_connected(timeout)`, `.close()`, `.connected`, `.welcome`, `.failure`
* `.events` (`queue.Queue`), `.poll()`, `.fileno()` (readable while events wait)
* `.submit(task, parameters, conditions, *, references, box, format, previews, priority, keep, job) -> job id`
  with `conditions={"source": Condition(Image(width, height, "rgba8", data), x, y), "mask": Condition(Image(…, "gray8", …))}`
* `.insert_file(data, "psd", x=, y=) -> job id` (layers arrive as `LayerReady`)
* `.export([job, …], "psd") -> job id` (the file arrives as `FileReady`)
* `.cancel(job)`, `.advance(job)` (to the front), `.attach(job, have=)`, `.acknowledge(job)`, `.upload(image) -> sha256`
* `.discard(job, pictures)`, `.star(job, picture, starred)` (answers: `Discarded`, `Starred`)
* `.jobs()` (answer: `Jobs`), `.history(before, limit, thumbnails)` (answer: `HistoryPage`)
* `.run(task, parameters, conditions, …)` and `.follow(job)`: iterators of one job's events, for scripts

Every job ends with exactly one `Finished`, `Failed` or `Cancelled`. After a lost connection the client reconnects by itself
and its jobs go on; requests without a job (`jobs`, `history`) are asked again by the host when `Connected` comes.
"""

from .client.client import Client, Condition, new_job_id
from .client.events import (
    HOPELESS,
    TERMINAL,
    Connected,
    Disconnected,
    Event,
    FileReady,
    HistoryPage,
    LayerReady,
    NotDelivered,
    Preview,
    Receiving,
    Starting,
)
from .client.server_requests import answers
from .errors import CODES, Failure, ProtocolError
from .home import Address, RunningServer, chosen_address, home, running_server, state_file
from .messages import (
    VERSION,
    Box,
    Cancelled,
    Discarded,
    Drawn,
    Engine,
    Error,
    Failed,
    Finished,
    Group,
    HistoryEntry,
    JobLine,
    Jobs,
    Layer,
    LayerSummary,
    Parameters,
    Progress,
    Queued,
    Starred,
    Started,
    Welcome,
    summary_of,
)
from .pixels import BYTES_PER_PIXEL, LAYER_FORMATS, Image, content_id

__all__ = [
    "BYTES_PER_PIXEL",
    "CODES",
    "HOPELESS",
    "LAYER_FORMATS",
    "TERMINAL",
    "VERSION",
    "Address",
    "Box",
    "Cancelled",
    "Client",
    "Condition",
    "Connected",
    "Discarded",
    "Disconnected",
    "Drawn",
    "Engine",
    "Error",
    "Event",
    "Failed",
    "Failure",
    "FileReady",
    "Finished",
    "Group",
    "HistoryEntry",
    "HistoryPage",
    "Image",
    "JobLine",
    "Jobs",
    "Layer",
    "LayerReady",
    "LayerSummary",
    "NotDelivered",
    "Parameters",
    "Preview",
    "Progress",
    "ProtocolError",
    "Queued",
    "Receiving",
    "RunningServer",
    "Starred",
    "Started",
    "Starting",
    "Welcome",
    "answers",
    "chosen_address",
    "content_id",
    "home",
    "new_job_id",
    "running_server",
    "state_file",
    "summary_of",
]
