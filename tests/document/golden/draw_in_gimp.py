"""Runs inside GIMP 3: draws a small scene with everything that a PSD of GIMP holds, and saves it as PSD, ORA and flat PNG.

gimp-console-3.0 -idf --batch-interpreter=python-fu-eval -b 'FOLDER="…"; exec(open("draw_in_gimp.py").read())' --quit
"""

import math

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio  # noqa: E402

WIDTH, HEIGHT = 48, 32
FOLDER = globals().get("FOLDER", ".")


def disc(size, colour, radius):
    """A soft-edged disc as RGBA bytes."""
    pixels = bytearray()
    for y in range(size):
        for x in range(size):
            distance = math.hypot(x - size / 2, y - size / 2)
            pixels += bytes((colour[0], (colour[1] + 3 * x) % 256, colour[2], max(0, min(255, int((radius - distance) * 50)))))
    return bytes(pixels)


def as_photoshop(layer):
    """Mix sRGB values, not linear light, as all other programs do."""
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_PERCEPTUAL)
    layer.set_blend_space(Gimp.LayerColorSpace.RGB_PERCEPTUAL)


def add(image, parent, name, size, colour, x, y, *, opacity=100, mode=Gimp.LayerMode.NORMAL):
    layer = Gimp.Layer.new(image, name, *size, Gimp.ImageType.RGBA_IMAGE, opacity, mode)
    image.insert_layer(layer, parent, 0)
    layer.set_offsets(x, y)
    as_photoshop(layer)
    pixels = disc(size[0], colour, size[0] / 2 - 1) if size[0] == size[1] else bytes((*colour, 255)) * (size[0] * size[1])
    layer.get_buffer().set(Gegl.Rectangle.new(0, 0, *size), "R'G'B'A u8", pixels)
    return layer


image = Gimp.Image.new(WIDTH, HEIGHT, Gimp.ImageBaseType.RGB)
add(image, None, "paper", (WIDTH, HEIGHT), (200, 180, 150), 0, 0)
group = Gimp.GroupLayer.new(image, "fruit ✓")
image.insert_layer(group, None, 0)
as_photoshop(group)
add(image, group, "apple 🍎", (20, 20), (200, 30, 40), -4, 6)
add(image, group, "яблоко", (20, 20), (60, 160, 60), 10, 8, opacity=60)
group.set_opacity(80)
add(image, None, "shade", (24, 24), (120, 40, 200), 20, 4, mode=Gimp.LayerMode.MULTIPLY)
masked = add(image, None, "masked", (16, 16), (30, 60, 220), 30, 12)
mask = masked.create_mask(Gimp.AddMaskType.WHITE)
masked.add_mask(mask)
mask.get_buffer().set(Gegl.Rectangle.new(0, 0, 16, 16), "Y' u8", bytes(16 * x for _ in range(16) for x in range(16)))
hidden = add(image, None, "hidden", (10, 10), (0, 0, 0), 2, 2)
hidden.set_visible(False)


def save(image, name):
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(f"{FOLDER}/{name}"))


save(image, "gimp.psd")
flat = image.duplicate()
flat.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
save(flat, "gimp.png")

# GIMP 3.0.4's own faults in OpenRaster: masks are dropped, moved layers are moved once more, and the opacity of layers in
# groups is applied twice. Without them the file has to show what its own merged picture shows.
masked.remove_mask(Gimp.MaskApplyMode.APPLY)
for layer in [*image.get_layers(), *group.get_children()]:
    if not layer.is_group():
        layer.resize_to_image_size()
for layer in group.get_children():
    layer.set_opacity(100)
save(image, "gimp.ora")
