"""Refine the picture of a PNG with a prompt: upload it, run, write the result. Shows conditions and progress."""

import sys

from acetate.protocol import Client, Condition, Failed, Image, LayerReady, Parameters, Progress
from PIL import Image as Pillow

if len(sys.argv) != 4:
    sys.exit("usage: python refine_a_layer.py LAYER.png PROMPT RESULT.png")
source, prompt, target = sys.argv[1:4]
picture = Pillow.open(source).convert("RGBA")
given = {"source": Condition(Image(picture.width, picture.height, "rgba8", picture.tobytes()))}

with Client("example") as client:
    for event in client.run("refine", Parameters(prompt=prompt, strength=0.5), given, crop=False):
        if isinstance(event, Progress):
            print(f"{event.stage} {event.step}/{event.steps}")
        elif isinstance(event, LayerReady):
            size = event.layer.width, event.layer.height
            Pillow.frombytes("RGBA", size, event.data).save(target)
        elif isinstance(event, Failed):
            sys.exit(f"{event.failure.message}\n{event.failure.hint}")
