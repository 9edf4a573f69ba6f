"""One transparent layer into a PNG, through a running server (or one that is started for it)."""

import argparse

from acetate.protocol import Client, Parameters

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("prompt")
parser.add_argument("path", metavar="FILE.png")
asked = parser.parse_args()

with Client("example", launch=["acetate", "serve"]) as client:
    for event in client.run("foreground", Parameters(prompt=asked.prompt)):
        print(type(event).__name__)
    client.export([event.job], "png")
    while not hasattr(event, "data"):
        event = client.events.get(timeout=60)
    client.acknowledge(event.job)
with open(asked.path, "wb") as file:
    file.write(event.data)
