"""What scenarios are made of, in the real Krita and in the fake one alike."""

import hashlib

from acetate.protocol import Box, Layer, LayerReady

made = []


def claim(scenario):
    """Marks a generator function whose name is a claim."""
    scenario.is_claim = True
    return scenario


def names(document):
    """Layer names, lowest first; a group is a list that begins with its own."""
    return [_names(node) for node in document.topLevelNodes()]


def _names(node):
    return [node.name(), *(_names(child) for child in node.childNodes())] if node.type() == "grouplayer" else node.name()


def arrived(x, y, width, height, opaque=False):
    """A layer as the client hands it over, with bytes of its own that look random."""
    made.append(1)
    count = 4 * width * height
    blocks = (hashlib.sha256(b"%d %d" % (len(made), number)).digest() for number in range(count // 32 + 1))
    data = bytearray(b"".join(blocks)[:count])
    if opaque:
        data[3::4] = b"\xff" * (width * height)
    layer = Layer("job-0001", 0, "layer", "foreground", x, y, width, height, Box(x, y, width, height), "bgra8", count, "0" * 64)
    return LayerReady(layer, bytes(data))
