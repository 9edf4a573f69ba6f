"""One transparent layer into a PNG, through a running server (or one that is started for it)."""

import sys

from acetate.protocol import Client, Parameters

if len(sys.argv) != 3:
    sys.exit("usage: python one_layer.py PROMPT FILE.png")
prompt, path = sys.argv[1:3]
with Client("example", launch=["acetate", "serve"]) as client:
    for event in client.run("foreground", Parameters(prompt=prompt)):
        print(type(event).__name__)
    client.export([event.job], "png")
    while not hasattr(event, "data"):
        event = client.events.get(timeout=60)
    client.acknowledge(event.job)
with open(path, "wb") as file:
    file.write(event.data)
