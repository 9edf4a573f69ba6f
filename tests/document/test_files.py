import contextlib
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from acetate import document as package
from acetate.document import (
    Document,
    Group,
    Layer,
    TooLarge,
    UnreadableFile,
    UnsupportedFile,
    UnwritableFile,
    compose,
    insert_into_bytes,
    insert_into_file,
    names,
    read,
    read_bytes,
    read_image,
    write,
    write_bytes,
)


@pytest.fixture
def scene(noise):
    return Document(6, 5, (Layer(noise(5, 6, 1), name="low"), Layer(noise(5, 6, 2), name="high")))


@pytest.mark.parametrize("name", ["a.psd", "a.PSD", "a.ora", "a.png", ".ora"])
def test_the_suffix_decides_the_format_and_reading_goes_by_content(tmp_path, scene, name, difference):
    write(scene, tmp_path / name)
    moved = (tmp_path / name).rename(tmp_path / "something.else")
    assert difference(compose(read(moved)), compose(scene)) <= 1


@pytest.mark.parametrize("name", ["a.xcf", "a", "a.psd.bak"])
def test_an_unknown_suffix_is_refused_and_the_known_ones_are_listed(tmp_path, scene, name):
    with pytest.raises(UnsupportedFile, match=r"\.psd, \.psb, \.ora, \.png can be written"):
        write(scene, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["psd", ".psd", "ora", "png"])
def test_bytes_are_the_same_as_a_file(tmp_path, scene, format):
    path = tmp_path / f"a.{format.lstrip('.')}"
    write(scene, path)
    assert path.read_bytes() == write_bytes(scene, format)


@pytest.mark.parametrize("format", ["psd", "ora", "png"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, scene, format, noise):
    path = tmp_path / f"kite.{format}"
    write(scene, path)
    old = path.read_bytes()
    impossible = Document(6, 5, (Layer(noise(5, 6), parameters={"seed": object()}),))
    with pytest.raises(UnwritableFile, match="not plain JSON"):
        write(impossible, path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == [path.name]


def test_a_folder_that_does_not_exist_is_named(tmp_path, scene):
    with pytest.raises(UnwritableFile, match=r"nowhere/a.psd cannot be written: No such file"):
        write(scene, tmp_path / "nowhere" / "a.psd")


def test_a_replaced_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path, scene):
    target, link = tmp_path / "a.png", tmp_path / "link.png"
    write(scene, target)
    target.chmod(0o640)
    link.symlink_to(target)
    write(scene, link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, scene):
    (tmp_path / "other").touch()
    write(scene, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_very_long_file_name_can_be_written(tmp_path, scene):
    write(scene, tmp_path / ("x" * 250 + ".png"))
    assert len(os.listdir(tmp_path)) == 1


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(UnreadableFile, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize("format", ["psd", "ora"])
def test_a_layer_is_inserted_into_a_file_or_a_copy(tmp_path, scene, format, noise):
    path, copy = tmp_path / f"a.{format}", tmp_path / f"b.{format}"
    write(scene, path)
    insert_into_file(path, Layer(noise(2, 2), name="new"), copy, below="high")
    assert names(read(path)) == ("high", "low")
    assert names(read(copy)) == ("high", "new", "low")
    insert_into_file(path, Layer(noise(2, 2), name="newest"))
    assert names(read(path)) == ("newest", "high", "low")


def test_a_flat_picture_takes_no_layer(tmp_path, scene, noise):
    write(scene, tmp_path / "a.png")
    with pytest.raises(UnsupportedFile, match="a.png has no layers"):
        insert_into_file(tmp_path / "a.png", Layer(noise(2, 2)))


def test_a_picture_called_psd_is_still_a_picture(tmp_path, noise):
    (tmp_path / "a.psd").write_bytes(write_bytes(Document(3, 2, (Layer(noise(2, 3)),)), "png"))
    assert np.array_equal(read_image(tmp_path / "a.psd"), noise(2, 3))


def test_everything_that_the_package_offers_exists_and_is_listed_in_order():
    assert all(hasattr(package, name) for name in package.__all__)
    assert len(set(package.__all__)) == len(package.__all__)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_to_its_end_and_one_without_end_is_refused_by_name(tmp_path, scene, monkeypatch, difference):
    pipe, picture = tmp_path / "pipe", write_bytes(scene, "png")
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as writing:
        sent = writing.submit(pipe.write_bytes, picture)
        assert difference(read_image(pipe), compose(scene)) == 0
        sent.result()
        monkeypatch.setattr("acetate.document.files.MAX_STREAM_BYTES", 1 << 20)
        writing.submit(endless, pipe)
        with pytest.raises(TooLarge, match="pipe is a stream of more than 1,048,576 bytes"):
            read(pipe)


def endless(pipe):
    with contextlib.suppress(BrokenPipeError), pipe.open("wb") as stream:
        while True:
            stream.write(bytes(1 << 16))


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no device files")
def test_a_device_is_no_picture():
    with pytest.raises(UnreadableFile, match="/dev/zero is a device, not a picture file"):
        read("/dev/zero")


@pytest.mark.parametrize("format", ["psd", "ora"])
def test_a_layer_that_is_none_is_the_callers_mistake_and_no_damage_of_the_file(tmp_path, scene, format):
    path = tmp_path / f"scene.{format}"
    write(scene, path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match="the layer is a PosixPath|the layer is a WindowsPath"):
        insert_into_file(path, tmp_path / "other.psd", Layer(np.zeros((1, 1, 4), np.uint8)))
    assert path.read_bytes() == before


def calls_of(action):
    """How many functions Python enters: what can be compared on a machine that is busy with other things."""
    entered = 0

    def count(frame, event, argument):
        nonlocal entered
        entered += event == "call"

    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
    return entered


@pytest.mark.parametrize("format", ["psd", "ora"])
@pytest.mark.parametrize("work", ["write", "read", "insert"])
def test_work_grows_with_the_number_of_layers_and_not_with_its_square(noise, format, work):
    def effort(layers):
        document = Document(64, 64, [Group("g", [Layer(noise(4, 4), name=f"{i}")]) for i in range(layers)])
        data = write_bytes(document, format)
        actions = {
            "write": lambda: write_bytes(document, format),
            "read": lambda: read_bytes(data, name_or_format="a"),
            "insert": lambda: insert_into_bytes(data, Layer(noise(4, 4)), name="a"),
        }
        return calls_of(actions[work])

    effort(2)  # imports
    few, many = effort(40), effort(160)
    assert many < 4.4 * few
