"""Pictures that a command cannot take are refused by name."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate.server.command_line.pictures import read_mask, read_picture
from PIL import Image

Command = Callable[..., tuple[int, str, str]]


def truncated(path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64, 4)).astype(np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:3000])


def text(path: Path) -> None:
    path.write_text("this is no picture")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def animated(path: Path) -> None:
    frames = [Image.new("RGBA", (8, 8), (i * 90, 0, 0, 255)) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)


def bomb(path: Path) -> None:
    """A PNG that declares 60,000 x 60,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (60_000).to_bytes(4, "big") * 2 + bytes([8, 6, 0, 0, 0])
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("damage", [truncated, text, empty, animated, bomb])
def test_pictures_that_cannot_be_read_are_named_with_the_reason(
    acetate: Command, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "source.png"
    damage(path)
    code, _, err = acetate("generate", "x", "--task", "refine", "--layer", path, "-o", "x.png", "--alone")
    assert code == 2
    assert "source.png" in err
    assert "Traceback" not in err
    assert not Path("x.png").exists()


@pytest.mark.parametrize("mode", ["P", "L", "LA", "I;16", "CMYK", "1", "RGB"])
def test_pictures_of_every_usual_mode_are_read(mode: str, tmp_path: Path) -> None:
    suffix = "tiff" if mode == "CMYK" else "png"
    path = tmp_path / f"source.{suffix}"
    Image.new(mode, (9, 7)).save(path)
    rgba = read_picture(path, [])
    assert rgba.shape == (7, 9, 4)
    assert rgba.dtype == np.uint8


def test_a_mask_is_its_brightness(tmp_path: Path) -> None:
    grey = np.array([[0, 128, 255]], np.uint8)
    Image.fromarray(grey).save(tmp_path / "mask.png")
    assert np.abs(read_mask(tmp_path / "mask.png", []).astype(int) - grey).max() <= 1


def test_a_transparent_part_of_a_mask_selects_nothing(tmp_path: Path) -> None:
    """However bright its colour is: a painted selection on an empty layer is a mask, too."""
    white = np.full((1, 3, 4), 255, np.uint8)
    white[0, :, 3] = (0, 128, 255)
    Image.fromarray(white).save(tmp_path / "mask.png")
    assert np.abs(read_mask(tmp_path / "mask.png", []).astype(int) - white[..., 3]).max() <= 1
