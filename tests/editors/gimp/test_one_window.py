"""The one window in the real GIMP, driven by keyboard and mouse: what it works on, its form, what comes into it."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims

MODULES = "one_window,form,results"
BROWSER = """[Desktop Entry]
Type=Application
Name=Browser
Exec=sh -c 'echo "$1" > {out}/browser.txt' browser %u
MimeType=text/html;application/xhtml+xml;x-scheme-handler/file;x-scheme-handler/http;
"""
PREFERRED = "[Default Applications]\ntext/html=browser.desktop\nx-scheme-handler/file=browser.desktop\n"


@pytest.fixture(scope="module", autouse=True)
def browser(gimp: Gimp) -> None:
    """What the desktop opens a page with: it writes down the address."""
    applications = gimp.share / "home" / ".local" / "share" / "applications"
    applications.mkdir(parents=True)
    (applications / "browser.desktop").write_text(BROWSER.format(out=gimp.out))
    (applications / "mimeapps.list").write_text(PREFERRED)


@pytest.mark.parametrize("claim", claims(MODULES))
@pytest.mark.usefixtures("server")
def test_on_a_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove(MODULES, claim, fake=True, on_screen=True)
