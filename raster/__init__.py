"""Pictures as arrays, the same for engine, documents and server: types, straight and premultiplied alpha, resampling.

numpy and Pillow only. Knows no network, no file and no layer.
"""

from .alpha import bounds, crop, over, premultiply, source_over, trim, unpremultiply
from .arrays import RGB, RGBA, RGBA16, Deep, Float, Mask, Pixels, scale_of, to_8_bits, to_16_bits, to_float, to_u8
from .resampling import lanczos, resample, resize, resize_deep

__all__ = [
    "RGB",
    "RGBA",
    "RGBA16",
    "Deep",
    "Float",
    "Mask",
    "Pixels",
    "bounds",
    "crop",
    "lanczos",
    "over",
    "premultiply",
    "resample",
    "resize",
    "resize_deep",
    "scale_of",
    "source_over",
    "to_16_bits",
    "to_8_bits",
    "to_float",
    "to_u8",
    "trim",
    "unpremultiply",
]
