"""The window: what it works on, its pages, and the small questions. Imported only when there is a screen."""

import gi

gi.require_version("Gdk", "3.0")
