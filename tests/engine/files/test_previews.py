import io

from acetate.engine.files.previews import SIDE, preview_beside, thumbnail
from PIL import Image


def picture(path, size=(600, 300), mode="RGBA"):
    Image.new(mode, size, "red").save(path)
    return path


def test_the_picture_beside_a_file_is_found_as_programs_put_it_there(tmp_path):
    lora = tmp_path / "ink.v2.safetensors"
    lora.touch()
    assert preview_beside(lora) is None
    plain = picture(tmp_path / "ink.v2.jpg", mode="RGB")
    assert preview_beside(lora) == plain
    preview = picture(tmp_path / "ink.v2.preview.png")
    assert preview_beside(lora) == preview, "which is made for this"
    picture(tmp_path / "ink.png")
    (tmp_path / "ink.safetensors").touch()
    assert preview_beside(tmp_path / "ink.safetensors") == tmp_path / "ink.png"


def test_a_small_picture_keeps_its_shape_and_is_cheap(tmp_path):
    small = thumbnail(picture(tmp_path / "a.png"))
    assert small is not None and len(small) < 4000
    assert Image.open(io.BytesIO(small)).size == (SIDE, SIDE // 2)


def test_what_is_no_picture_or_gone_or_cut_has_no_small_one(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    cut = picture(tmp_path / "cut.png", size=(900, 900))
    cut.write_bytes(cut.read_bytes()[:900])
    assert thumbnail(tmp_path / "text.png") is thumbnail(tmp_path / "gone.png") is thumbnail(cut) is None


def test_another_picture_in_its_place_is_seen(tmp_path):
    path = picture(tmp_path / "a.png")
    first = thumbnail(path)
    Image.new("RGB", (90, 90), "blue").save(path)
    assert thumbnail(path) != first
