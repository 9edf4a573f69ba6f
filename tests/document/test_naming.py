import pytest
from acetate.document.naming import clean, guessed


@pytest.mark.parametrize("name", ["apple 🍎", "яблоко", "林檎", "نخلة", "👩‍🚀", "a/b", "  spaces  ", "½ ±"])
def test_text_of_any_script_stays_as_it_is(name):
    assert clean(name) == name


@pytest.mark.parametrize(
    ("name", "kept"), [("a\r\nb", "a  b"), ("\x1b[31mred\x7f", "[31mred"), ("\udcff", ""), ("a\ufffe", "a"), ("\x85", "")]
)
def test_what_no_file_or_terminal_should_get_is_taken_out(name, kept):
    assert clean(name) == kept


def test_a_long_name_is_cut():
    assert len(clean("x" * 1000)) == 255


@pytest.mark.parametrize(
    ("name", "encoding"),
    [(name, "cp932") for name in ("線画", "レイヤー1", "文字", "新規レイヤー")]
    + [(name, "gbk") for name in ("图层 1", "背景", "效果", "主线稿", "圆角矩形 1")]
    + [(name, "mac-roman") for name in ("Épée", "é", "øø", "ümläut", "Œuvre à côté", "«ñ»", "©®™", "Straße")],
)
def test_a_name_is_read_in_the_encoding_that_it_was_written_in(name, encoding):
    assert guessed(name.encode(encoding))[0] == name


@pytest.mark.parametrize(
    ("whole", "times", "kept"),
    [
        ("\N{GRINNING FACE}", 255, 127),  # two units each
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 60, 31),  # a family: 8 units
        ("e\u0301", 200, 127),
        ("\U0001f1e9\U0001f1ea", 100, 63),  # a flag: 4 units
        ("\U0001f44d\U0001f3fd", 100, 63),
        ("\u2764\ufe0f", 200, 127),
        ("x", 300, 255),
    ],
)
def test_a_long_name_ends_with_a_whole_character_that_photoshop_has_room_for(whole, times, kept):
    assert clean(whole * times) == whole * kept
    assert len(clean(whole * times).encode("utf-16-le")) <= 2 * 255
