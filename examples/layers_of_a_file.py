"""The layers of a PSD, OpenRaster or PNG file, as an editor would insert them: bottom to top, with their groups."""

import sys
from pathlib import Path

from acetate.protocol import TERMINAL, Client, LayerReady

if len(sys.argv) != 2:
    sys.exit("usage: python layers_of_a_file.py FILE.psd")
path = Path(sys.argv[1])
with Client("example") as client:
    client.insert_file(path.read_bytes(), path.suffix[1:].lower())
    event = None
    while not isinstance(event, TERMINAL):
        event = client.events.get(timeout=60)
        if isinstance(event, LayerReady):
            layer = event.layer
            groups = "/".join(group.name for group in layer.group)
            print(f"{groups}/{layer.name} {layer.width}x{layer.height}+{layer.x}+{layer.y} {layer.blend_mode}")
    client.acknowledge(event.job)
print(type(event).__name__)
