"""The circumstances of a failure, as lines for a report. Knows Krita and the session; knows no failure."""

from __future__ import annotations

import platform
import time
from typing import Any

from acetate.plugins.bridge.status.log_file import log_file
from acetate.protocol import VERSION
from krita import Krita

from ..qt import MAJOR, QtCore


def circumstances(docker: Any, session: Any) -> str:
    """Programs, server, document and form of a docker at this moment."""
    welcome = session.client.welcome if session.client is not None else None
    qt = f"Qt {QtCore.qVersion()}, PyQt{MAJOR}, Python {platform.python_version()}"
    lines = {
        "Time": time.strftime("%Y-%m-%d %H:%M:%S"),
        "Krita": f"{Krita.instance().version()}, {qt}, {platform.system()} {platform.release()}",
        "Protocol": f"{VERSION}, server {welcome.server if welcome is not None else 'not connected'}",
        "Server": session.status.line(session.url) or session.connection,
        "Queue": session.queue.summary or "empty",
        "Document": _described(docker.document()),
        "Form": docker.form_panel.form().to_json(),
        "Log": str(log_file("krita")),
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def _described(document: Any) -> str:
    if document is None:
        return "none"
    return f"{document.width()} x {document.height()}, {document.colorModel()} {document.colorDepth()}, {document.colorProfile()}"
