"""GIMP's own files in."""
