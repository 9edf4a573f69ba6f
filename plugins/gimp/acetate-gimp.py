#!/usr/bin/env python3
"""The script that GIMP starts. GIMP wants it executable and named like its folder; all else is in the zip next to it."""

import os
import sys

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "acetate.zip"))
from acetate.plugins.gimp.plugin import main  # noqa: E402

main()
