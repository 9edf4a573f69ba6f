import pytest
from acetate.plugins.bridge import files


def test_a_file_takes_the_place_of_the_one_before(tmp_path):
    path = tmp_path / "scene.psd"
    path.write_bytes(b"before")
    files.write(path, b"8BPS")
    assert path.read_bytes() == b"8BPS"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_cannot_be_written_to_keeps_what_was_there_and_leaves_no_part(tmp_path):
    path = tmp_path / "scene.psd"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(OSError):
        files.write(path, b"8BPS")
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "inside").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        files.write(tmp_path / "nowhere" / "scene.psd", b"8BPS")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("boot.PSD", "boot.PSD"), ("boot v1.2", "boot v1.2.png"), ("boot.jpg", "boot.jpg.png"), ("boot", "boot.png")],
)
def test_a_name_without_a_suffix_of_ours_gets_one(said, meant):
    assert files.named(f"/x.y/{said}", ".png").name == meant
