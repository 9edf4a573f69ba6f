"""Claims about the window of a GIMP in another language than English: LABEL is what our first menu entry is called there."""

from __future__ import annotations

import os
import re

from desk import until
from screen import GENERATE, names, open_image, the_desk


def the_window_speaks_the_language_of_gimp_and_draws():
    with open_image() as image:
        desk = the_desk()
        label = os.environ["LABEL"]
        title = f"^{re.escape(label.replace('_', '').rstrip('.… '))} ?$"
        _, letter = label.lower().split("_")
        desk.move_beside(desk.open(GENERATE._replace(letter=letter[0]), title))
        desk.keys("ctrl+a")
        desk.type("leaf")
        desk.keys("ctrl+Return")
        until(lambda: len(names(image)) == 2, "a layer")
        desk.rest(1.0)
        desk.shot("spoken")
        desk.dismiss(title)
