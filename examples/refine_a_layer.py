"""Refine the picture of a PNG with a prompt: upload it, run, write the result. Shows conditions and progress."""

import argparse
import sys

from acetate.protocol import Client, Condition, Failed, Image, LayerReady, Parameters, Progress
from PIL import Image as Pillow

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("source", metavar="FILE.png")
parser.add_argument("prompt")
parser.add_argument("target", metavar="RESULT.png")
asked = parser.parse_args()

picture = Pillow.open(asked.source).convert("RGBA")
given = {"source": Condition(Image(picture.width, picture.height, "rgba8", picture.tobytes()))}

with Client("example") as client:
    for event in client.run("refine", Parameters(prompt=asked.prompt, strength=0.5), given, crop=False):
        if isinstance(event, Progress):
            print(f"{event.stage} {event.step}/{event.steps}")
        elif isinstance(event, LayerReady):
            size = event.layer.width, event.layer.height
            Pillow.frombytes("RGBA", size, event.data).save(asked.target)
        elif isinstance(event, Failed):
            sys.exit(f"{event.failure.message}\n{event.failure.hint}")
