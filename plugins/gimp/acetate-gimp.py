#!/usr/bin/env python3
"""The script that GIMP starts. GIMP wants it executable and called like its folder; all else lies in the packages beside it."""

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")

from acetate.plugins.gimp.plugin import main  # noqa: E402

main()
