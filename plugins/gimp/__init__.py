"""Filters > Acetate in GIMP 3: procedures, a dialog, and layers put into the open image."""
