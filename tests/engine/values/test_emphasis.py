"""What a prompt's brackets mean."""

from __future__ import annotations

import pytest
from acetate.engine import Request
from acetate.engine.values.emphasis import extract_loras, fragments, with_loras
from acetate.engine.values.errors import BadRequest


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("a red apple", [("a red apple", 1.0)]),
        ("a (red) apple", [("a ", 1.0), ("red", 1.1), (" apple", 1.0)]),
        ("((red))", [("red", 1.21)]),
        ("(red:1.3) apple", [("red", 1.3), (" apple", 1.0)]),
        ("(red: .5 )", [("red", 0.5)]),
        ("(red:-1)", [("red", -1.0)]),
        ("[red] apple", [("red", 1 / 1.1), (" apple", 1.0)]),
        ("(a (b:2) c:1.5)", [("a ", 1.5), ("b", 3.0), (" c", 1.5)]),
        ("([both])", [("both", 1.0)]),
        (r"\(sic\) \[x\] \\", [(r"(sic) [x] " + "\\", 1.0)]),
        (r"a\b", [(r"a\b", 1.0)]),
        ("smile :) and ( open", [("smile :) and ( open", 1.0)]),
        ("a) b] c", [("a) b] c", 1.0)]),
        ("(a] b)", [("a] b", 1.1)]),
        ("[a:b:0.5]", [("[a:b:0.5]", 1.0)]),
        ("(time 12:30)", [("time 12", 30.0)]),
        ("(ratio 4:x)", [("ratio 4:x", 1.1)]),
        ("one\n(two)", [("one\n", 1.0), ("two", 1.1)]),
    ],
)
def test_fragments(prompt: str, expected: list[tuple[str, float]]) -> None:
    found = fragments(prompt)
    assert [text for text, _ in found] == [text for text, _ in expected]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in expected])


@pytest.mark.parametrize(
    ("prompt", "rest", "loras"),
    [
        ("a cat", "a cat", ()),
        ("  kept  as it is ", "  kept  as it is ", ()),
        ("a <lora:ink style_v2.1:0.8> cat", "a cat", (("ink style_v2.1", 0.8),)),
        ("<lora:a>, <lora:b:-0.5>x", ", x", (("a", 1.0), ("b", -0.5))),
        ("<lora:a:.5> <lora:a:.5>", "", (("a", 0.5), ("a", 0.5))),
        ("a <b> lora:c:1", "a <b> lora:c:1", ()),
    ],
)
def test_loras_are_taken_out(prompt: str, rest: str, loras: tuple[tuple[str, float], ...]) -> None:
    assert extract_loras(prompt) == (rest, loras)


@pytest.mark.parametrize("weight", ["strong", "", "nan", "inf"])
def test_a_lora_without_a_number_is_refused(weight: str) -> None:
    with pytest.raises(BadRequest, match=f"<lora:ink:{weight}>.*a number such as 0.8"):
        extract_loras(f"cat <lora:ink:{weight}>")


def test_loras_of_all_prompts_come_together() -> None:
    asked = Request(
        prompt="a cat <lora:ink:0.5>", prompts={"background": "a wall <lora:ink:0.7><lora:dots>"}, loras=(("soft", 0.2),)
    )
    found = with_loras(asked)
    assert (found.prompt, found.prompts) == ("a cat", {"background": "a wall"})
    assert found.loras == (("soft", 0.2), ("ink", 0.7), ("dots", 1.0))
    plain = Request(prompt="a cat ")
    assert with_loras(plain) is plain


def test_a_lora_in_the_negative_prompt_is_refused() -> None:
    with pytest.raises(BadRequest, match="negative prompt names LoRA 'ink'.*belongs in the prompt"):
        with_loras(Request(prompt="a cat", negative_prompt="<lora:ink:0.5>"))
