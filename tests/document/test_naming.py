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
    assert len(clean("🍎" * 1000)) == 255


@pytest.mark.parametrize(
    ("name", "encoding"),
    [(name, "cp932") for name in ("線画", "レイヤー1", "文字", "新規レイヤー")]
    + [(name, "gbk") for name in ("图层 1", "背景", "效果", "主线稿", "圆角矩形 1")]
    + [(name, "mac-roman") for name in ("Épée", "é", "øø", "ümläut", "Œuvre à côté", "«ñ»", "©®™", "Straße")],
)
def test_a_name_is_read_in_the_encoding_that_it_was_written_in(name, encoding):
    assert guessed(name.encode(encoding))[0] == name
