from dataclasses import replace

import pytest
from acetate.engine.description import Offer, describe
from acetate.engine.families import FAMILIES
from acetate.plugins.bridge.form import Form, with_words_of
from acetate.plugins.bridge.forms.offers import Offers
from acetate.protocol import Engine
from acetate.vocabulary.tasks import TASKS

LORAS = [
    {"name": "ink", "family": "sdxl", "triggers": ["inkstyle", "lineart"], "preview": True},
    {"name": "any", "family": None},
    {"name": "old", "family": "sd15"},
    {"name": "broken", "family": "sdxl", "problem": "it has NaN"},
]


@pytest.fixture
def offers():
    found = describe("cpu", [Offer("sketchpad", FAMILIES["sketchpad"], True), Offer("juicy", FAMILIES["sdxl"], False)])
    details = {name: value for name, value in found.items() if name not in ("device", "models", "tasks")}
    return Offers(Engine("ready", "cpu", tuple(found["models"]), found["tasks"], {**details, "loras": LORAS}))


def test_the_default_model_says_which_it_is(offers):
    assert offers.default_label == "Default model (sketchpad)"
    assert Offers().default_label == "Default model", "before a server has said anything"


def test_a_field_that_is_left_to_the_model_says_what_that_takes(offers):
    assert offers.own_label("", "steps") == "Model's own (20)"
    assert offers.own_label("", "guidance_scale") == "Model's own (3)"
    assert offers.own_label("juicy", "scheduler") == f"Model's own ({FAMILIES['sdxl'].defaults.scheduler})"
    assert offers.own_label("of another server", "steps") == Offers().own_label("", "steps") == "Model's own"


def test_values_that_a_model_took_by_itself_were_nobodys_choice(offers):
    made_with = {"prompt": "a fox", "model": "sketchpad", "steps": 20, "guidance_scale": 3.0, "scheduler": "dpmpp-2m-karras"}
    assert offers.chosen(made_with) == {"prompt": "a fox"}
    assert with_words_of(offers.chosen(made_with), Form(task="refine")) == Form(task="refine", prompt="a fox")
    assert offers.chosen({**made_with, "steps": 35}) == {"prompt": "a fox", "steps": 35}
    assert offers.chosen({**made_with, "model": "juicy"})["model"] == "juicy"


def test_what_a_model_would_ignore_is_not_sent(offers):
    form = Form(prompt="a fox", injection="convolution", layer_weight=0.5, stop_at=0.5, loras=(("ink", 0.8),))
    assert offers.suited(form) == Form(prompt="a fox")
    assert offers.suited(replace(form, model="juicy")) == replace(form, model="juicy")
    assert offers.suited(replace(form, model="juicy", task="background")).injection == "attention"


def test_only_loras_of_the_models_family_are_used(offers):
    several = (("ink", 0.8), ("old", 1.0), ("any", 0.5), ("broken", 1.0), ("elsewhere", 1.0))
    form = offers.suited(Form(model="juicy", loras=several))
    assert [name for name, _ in form.loras] == ["ink", "any", "elsewhere"], "the last one is for the server to judge"
    assert [one.name for one in offers.of(offers.loras, "juicy")] == ["ink", "any"]
    assert offers.loras["ink"].triggers == ("inkstyle", "lineart") and offers.loras["ink"].preview


@pytest.mark.parametrize("task", TASKS)
def test_a_model_heeds_no_parameter_that_the_task_has_not(offers, task):
    model = offers.model("juicy")
    assert {name for name in ("prompts", "lock_alpha", "scale", "strength") if model.heeds(task, name)} <= set(
        TASKS[task].parameters
    )
    assert model.heeds(task, "stop_at") == ("stop_at" in TASKS[task].parameters)
    assert not offers.model("").heeds("foreground", "stop_at")


def test_a_server_that_says_little_or_nonsense_offers_what_can_be_read():
    said = Engine("ready", "", ({"name": "x"}, {"title": "nameless"}), {"foreground": 3}, {"families": [], "loras": {"a": 1}})
    offers = Offers(said)
    assert list(offers.models) == ["x"] and offers.default == "x" and not offers.loras
    assert offers.model("x").can("scene") and offers.model("x").heeds("foreground", "injection")
