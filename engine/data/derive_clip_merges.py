"""Derive `clip_merges.txt.gz` from the BPE vocabulary inside the `open_clip_torch` wheel (MIT).

    python derive_clip_merges.py open_clip_torch-3.3.0-py3-none-any.whl

CLIP's vocabulary of 49,408 tokens follows from 48,894 merges: 256 bytes, 256 bytes that end a word, one token a merge, begin
and end. The published list goes on beyond those; only they are kept.
"""

from __future__ import annotations

import gzip
import sys
import zipfile
from pathlib import Path

MERGES = 49152 - 256 - 2


def main(wheel: Path) -> None:
    """Write the gzipped merges of the vocabulary in `wheel` next to this file."""
    with zipfile.ZipFile(wheel) as archive:
        text = gzip.decompress(archive.read("open_clip/bpe_simple_vocab_16e6.txt.gz")).decode("utf-8")
    merges = text.split("\n")[1 : MERGES + 1]
    packed = gzip.compress("\n".join(merges).encode("utf-8"), compresslevel=9, mtime=0)
    Path(__file__).with_name("clip_merges.txt.gz").write_bytes(packed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
