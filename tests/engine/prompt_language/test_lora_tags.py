"""What a prompt's tags mean, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest
from acetate.engine import Request
from acetate.engine.prompt_language.lora_tags import extract_tags, with_loras
from acetate.engine.values.errors import BadRequest
from acetate.engine.values.lora_tag import BLOCK_NAMES, LoraTag
from acetate.engine.values.parameters import from_json, to_json
from hypothesis import given
from hypothesis import strategies as st

INALL = (1.0,) * 7 + (0.0,) * 10


@pytest.mark.parametrize(
    ("prompt", "rest", "tags"),
    [
        ("a cat", "a cat", ()),
        ("  kept  as it is ", "  kept  as it is ", ()),
        ("a <lora:ink style_v2.1:0.8> cat", "a cat", (LoraTag("ink style_v2.1", 0.8, 0.8),)),
        ("<lora:a>, <lora:b:-0.5>x", ", x", (LoraTag("a"), LoraTag("b", -0.5, -0.5))),
        ("<LoRA:a:.5> <lyco:b:.5>", "", (LoraTag("a", 0.5, 0.5), LoraTag("b", 0.5, 0.5))),
        ("<lora:a:0.8:0.5>", "", (LoraTag("a", 0.8, 0.5),)),
        ("<lora:a:te=0.5:unet=1>", "", (LoraTag("a", 1.0, 0.5),)),
        ("<lora:a:0.8:TE=0>", "", (LoraTag("a", 0.8, 0.0),)),
        ("<lora:a:te=0.5>", "", (LoraTag("a", 0.5, 0.5),)),
        ("<lora:a:0.8:lbw=INALL>", "", (LoraTag("a", 0.8, 0.8, INALL),)),
        ("<lora:a:0.8:inall>", "", (LoraTag("a", 0.8, 0.8, INALL),)),
        ("<lora:a:1:lbw=1,0,0,0,0,0,.5,0,0,0,0,0>", "", (LoraTag("a", 1, 1, (1, 0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0)),)),
        ("<lora:sub/folder:1>", "", (LoraTag("sub/folder"),)),
        ("a <b> lora:c:1 a < b", "a <b> lora:c:1 a < b", ()),
    ],
)
def test_tags_are_taken_out(prompt: str, rest: str, tags: tuple[LoraTag, ...]) -> None:
    found = extract_tags(prompt)
    assert (found.text, found.tags) == (rest, tags)


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("cat <lora:ink:strong>", "<lora:ink:strong>.*a number such as 0.8"),
        ("cat <lora:ink:>", "<lora:ink:>.*a number such as 0.8"),
        ("cat <lora:ink:nan>", "<lora:ink:nan>.*a number such as 0.8"),
        ("cat <lora:ink:te=inf>", "has the weight 'inf'"),
        ("cat <lora:ink:0.8", "'<lora:ink:0.8' has no end"),
        ("cat <LyCO:ink:0.8, red <b", "has no end"),
        ("<lora:ink:1, <lora:b:1>", "'<lora:ink:1, ' has no end"),
        ("<lora::1>", "names no LoRA"),
        ("<lora:ink:1:1:1>", "has 3 weights; at most two"),
        ("<lora:ink:1:lbw=1,2,3>", "has 3 block weights; 12, 17, 20, 26 are known"),
        ("<lora:ink:1:lbw=MINE>", "has the weight 'MINE'"),
    ],
)
def test_a_wrong_tag_is_refused_by_its_text(prompt: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        extract_tags(prompt)


def test_a_tag_of_another_kind_is_left_out_and_said() -> None:
    found = extract_tags("a <hypernet:foo:1> cat <x:y>")
    assert found.text == "a cat"
    assert found.notes == (
        "'<hypernet:foo:1>' is not understood and was left out",
        "'<x:y>' is not understood and was left out",
    )


def test_what_a_lora_tag_holds_beyond_its_weights_is_said() -> None:
    assert extract_tags("<lora:a:1:dyn=4>").notes == ("'dyn=4' in '<lora:a:1:dyn=4>' is not understood and was left out",)


def test_two_bare_weights_are_said_as_other_programs_order_them_otherwise() -> None:
    assert "unet=0.8, te=0.5" in extract_tags("<lora:a:0.8:0.5>").notes[0]
    assert not extract_tags("<lora:a:0.5:0.5><lora:b:unet=0.8:te=0.5>").notes


def test_every_preset_fits_a_list_of_blocks() -> None:
    for names in ("NONE", "ALL", "INS", "IND", "INALL", "MIDD", "OUTD", "OUTS", "OUTALL"):
        assert len(extract_tags(f"<lora:a:1:lbw={names}>").tags[0].block_weights) == 17
    assert all(len(names) == length and len(set(names)) == length for length, names in BLOCK_NAMES.items())


@given(
    st.builds(
        LoraTag, st.just("a"), st.floats(-10, 10), st.floats(-10, 10), st.sampled_from([(), INALL]).map(lambda blocks: blocks)
    )
)
def test_an_entry_is_read_as_the_tag_that_wrote_it_also_from_json(tag: LoraTag) -> None:
    assert LoraTag.of(tag.entry) == tag
    asked = Request(prompt="a", loras=(tag.entry,))
    assert from_json(to_json(asked)).loras == (tag.entry,)


def test_a_plain_weight_stays_a_pair() -> None:
    assert LoraTag("a", 0.5, 0.5).entry == ("a", 0.5)
    assert LoraTag("a", 0.5, 0.2).entry == ("a", 0.5, 0.2)


@given(st.text(alphabet="ab <>:lor1.=,"))
def test_any_text_is_read_or_refused_and_text_without_tags_comes_back(text: str) -> None:
    try:
        found = extract_tags(text)
    except BadRequest as error:
        assert "<lora:" in str(error)
        return
    if "<" not in text:
        assert found == (text, (), ())


def test_loras_of_all_prompts_come_together() -> None:
    asked = Request(
        prompt="a cat <lora:ink:0.5>", prompts={"background": "a wall <lora:ink:0.7><lora:dots>"}, loras=(("soft", 0.2),)
    )
    found, notes = with_loras(asked)
    assert (found.prompt, found.prompts, notes) == ("a cat", {"background": "a wall"}, ())
    assert found.loras == (("soft", 0.2), ("ink", 0.7), ("dots", 1.0))


def test_a_lora_in_the_negative_prompt_is_refused() -> None:
    with pytest.raises(BadRequest, match="negative prompt names LoRA 'ink'.*belongs in the prompt"):
        with_loras(Request(prompt="a cat", negative_prompt="<lora:ink:0.5>"))
