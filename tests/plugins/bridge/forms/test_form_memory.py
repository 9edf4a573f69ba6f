from dataclasses import replace

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.form_memory import FormMemory
from acetate.vocabulary.tasks import TASKS

FOX, KITE = Form(prompt="a fox", count=3, steps=12), Form(prompt="a kite", negative_prompt="rope")


def test_each_document_shows_its_own_form_again():
    memory = FormMemory()
    memory.keep("a", FOX)
    memory.keep("b", KITE)
    assert (memory.form("a", KITE), memory.form("b", FOX)) == (FOX, KITE)


def test_a_document_seen_for_the_first_time_begins_with_what_is_there():
    memory = FormMemory()
    memory.keep("a", FOX)
    assert memory.form("new", FOX) == FOX
    memory.keep("new", replace(FOX, prompt="a cat"))
    assert memory.form("a", KITE) == FOX, "and what is typed then is that document's"


def test_each_task_of_a_document_has_its_own_form_once_it_was_shown():
    memory = FormMemory()
    memory.keep("a", FOX)
    scene = memory.form("a", FOX, "scene")
    assert scene == replace(FOX, task="scene"), "what was typed is not lost by choosing another task"
    memory.keep("a", replace(scene, prompt="a fox at night", count=1))
    assert memory.form("a", scene, "foreground") == FOX
    assert memory.form("a", FOX, "scene") == replace(scene, prompt="a fox at night", count=1)


def test_a_task_begins_with_its_own_strength_unless_one_was_chosen():
    memory, refine = FormMemory(), Form(task="refine")
    assert memory.form("a", refine, "repaint").strength == TASKS["repaint"].strength == 1.0
    assert memory.form("b", replace(refine, strength=0.35), "repaint").strength == 0.35


def test_a_document_comes_back_with_the_task_that_it_showed():
    memory = FormMemory()
    memory.keep("a", FOX)
    memory.keep("a", replace(KITE, task="refine"))
    assert memory.form("a", Form()).task == "refine"


def test_what_a_document_brings_is_shown_with_the_last_one_first():
    memory = FormMemory()
    memory.learn("a", [replace(KITE, task="scene"), FOX])
    assert memory.knows("a") and not memory.knows("b")
    assert memory.form("a", Form()) == FOX
    assert memory.form("a", Form(), "scene").prompt == "a kite"


def test_a_layer_brings_its_words_where_nothing_was_typed():
    memory, refine = FormMemory(), Form(task="refine", seed=5, strength=0.2)
    filled = memory.following("a", refine, {"prompt": "a fox", "steps": 12})
    assert filled == replace(refine, prompt="a fox", steps=12)
    assert memory.following("a", filled, {"prompt": "a kite"}) == replace(refine, prompt="a kite"), "another layer, other words"


def test_what_an_artist_has_typed_or_chosen_stays_whatever_layer_is_active():
    memory = FormMemory()
    filled = memory.following("a", Form(task="refine"), {"prompt": "a fox", "steps": 12, "scheduler": "euler"})
    own = replace(filled, prompt="in oil paint", steps=40)
    assert memory.following("a", own, {"prompt": "a kite", "steps": 9}) == replace(own, scheduler="")


def test_words_that_were_used_may_be_replaced_by_those_of_a_layer():
    memory, typed = FormMemory(), Form(task="refine", prompt="in oil paint")
    memory.used("a", typed)
    assert memory.following("a", typed, {"prompt": "a fox"}).prompt == "a fox"


def test_words_used_for_one_task_count_as_used_when_another_begins_with_them():
    memory = FormMemory()
    memory.keep("a", FOX)
    memory.used("a", FOX)
    refine = memory.form("a", FOX, "refine")
    assert memory.following("a", refine, {"prompt": "a kite"}).prompt == "a kite"


def test_looking_at_another_task_changes_nothing_in_the_one_before():
    memory = FormMemory()
    memory.keep("a", Form(prompt="a fox"))
    refine = memory.form("a", Form(prompt="a fox"), "refine")
    filled = memory.following("a", refine, {"model": "soft", "steps": 20, "guidance_scale": 3.0, "scheduler": "euler"})
    memory.keep("a", filled)
    assert memory.form("a", filled, "foreground") == Form(prompt="a fox")


def test_what_a_layer_brought_is_not_kept_for_other_documents():
    memory = FormMemory()
    filled = memory.following("a", Form(task="refine"), {"prompt": "a fox", "model": "soft", "steps": 20})
    assert memory.chosen("a", replace(filled, steps=9)) == Form(task="refine", prompt="a fox", steps=9)
