"""The model that ships with the program, as package data; `training/` holds how it was made."""

from pathlib import Path

NAME = "sketchpad"
FOLDER = Path(__file__).parent / NAME
"""The folder of the model, in diffusers' form, with LayerDiffuse's two networks in it."""
