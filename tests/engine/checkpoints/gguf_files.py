"""GGUF files, written by the format's own library."""

from __future__ import annotations

from pathlib import Path

import gguf


def finished(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
