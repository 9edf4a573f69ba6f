"""Layer effects: shadows, glows, strokes and overlays around and over a layer, and the paints that they are made of.

Drawn in sRGB on straight pixels, from the layer's alpha alone. Knows no file format.
"""
