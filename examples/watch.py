"""What an editor's plug-in does: ask, go on with other things, look for events now and then, survive a restart of the server."""

import select
import sys

from acetate.protocol import Client, Disconnected, Failed, Finished, LayerReady, Parameters, Preview, Progress

if len(sys.argv) != 2:
    sys.exit("usage: python watch.py PROMPT")
client = Client("example", launch=["acetate", "serve"], formats=["bgra8"])
client.connect()  # returns at once
client.submit("scene", Parameters(prompt=sys.argv[1], count=2))

over = False
while not over:
    select.select([client.fileno()], [], [], 1)  # an editor has its own loop here: QSocketNotifier, GLib.io_add_watch, a timer
    for event in client.poll():
        if isinstance(event, Progress):
            print(f"{100 * event.fraction:.0f} %, {event.seconds_left} s left")
        elif isinstance(event, Preview):
            print(f"preview of {event.image.width} x {event.image.height}")
        elif isinstance(event, LayerReady):
            print(f"layer {event.layer.name!r} at ({event.layer.x}, {event.layer.y}), {len(event.data)} bytes")
        elif isinstance(event, Disconnected):
            print(event.failure.message)
        elif isinstance(event, (Finished, Failed)):
            client.acknowledge(event.job)  # only now: until then the server keeps the layers in any case
            over = True
client.close()
