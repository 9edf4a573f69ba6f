"""Claims about the window of a GIMP in another language than English: TITLE says what it is called there."""

from __future__ import annotations

import os
import re

from desk import until
from screen import GENERATE, names, open_image, the_desk


def the_window_speaks_the_language_of_gimp_and_draws():
    with open_image() as image:
        desk = the_desk()
        title = f"^{re.escape(os.environ['TITLE'])} ?$"
        desk.move_beside(desk.open(GENERATE, title))
        desk.keys("ctrl+a")
        desk.type("leaf")
        desk.keys("ctrl+Return")
        until(lambda: len(names(image)) == 2, "a layer")
        desk.rest(1.0)
        desk.shot("spoken")
        desk.dismiss(title)
