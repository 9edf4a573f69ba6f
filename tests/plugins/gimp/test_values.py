from acetate.plugins.bridge.form import Form
from acetate.plugins.gimp.values import fill, form_of, loras_of, text_of_loras

SCENE = ("prompt", "negative-prompt", "foreground-prompt", "background-prompt", "model", "area", "width", "height", "count")
NUMBERS = ("seed", "new-seed", "steps", "guidance")


class Config:
    """Stands where GIMP's config of a procedure stands: properties by name, refusing numbers beyond their range."""

    def __init__(self, **values):
        self.values = {name.replace("_", "-"): value for name, value in values.items()}

    def get_property(self, name):
        return self.values[name]

    def set_property(self, name, value):
        if name == "guidance" and not 0 <= value <= 30:
            raise OverflowError(value)
        self.values[name] = value


def test_arguments_become_the_form():
    config = Config(prompt="a fox", strength=0.25, lock_alpha=True, seed=4294967295, new_seed=False, steps=12, guidance=5.5)
    form = form_of(config, config.values, "refine")
    assert form == Form(
        task="refine",
        prompt="a fox",
        strength=0.25,
        lock_alpha=True,
        seed=4294967295,
        new_seed=False,
        steps=12,
        guidance_scale=5.5,
    )


def test_zero_leaves_steps_and_guidance_to_the_model():
    form = form_of(Config(prompt="a fox", steps=0, guidance=0.0), ("prompt", "steps", "guidance"), "foreground")
    assert (form.steps, form.guidance_scale) == (None, None)


def test_a_text_that_was_never_set_is_empty():
    form = form_of(Config(prompt=None, model=None), ("prompt", "model"), "foreground")
    assert (form.prompt, form.model) == ("", "")


def test_prompts_go_by_role():
    config = Config(foreground_prompt="fox", background_prompt=None)
    assert form_of(config, config.values, "scene").prompts == {"foreground": "fox", "background": ""}


def test_what_a_procedure_lacks_keeps_the_forms_default():
    assert form_of(Config(prompt="moss"), ("prompt",), "repaint").strength == Form().strength


def test_filling_and_reading_give_the_same_form():
    names = (*SCENE, *NUMBERS)
    form = Form(
        task="scene", prompt="snow", prompts={"foreground": "fox", "background": ""}, model="m", area="custom",
        width=64, height=32, count=3, seed=8, new_seed=False, steps=None, guidance_scale=2.0,
    )  # fmt: skip
    config = Config()
    fill(config, names, form)
    assert form_of(config, names, "scene") == form


def test_a_value_beyond_gimps_range_leaves_the_argument_as_it_was():
    config = Config(guidance=4.0)
    fill(config, ("guidance",), Form(guidance_scale=99.0))
    assert config.values == {"guidance": 4.0}


def test_loras_are_written_as_they_are_read():
    loras = (("portraits/ink wash", 0.65), ("soft", 1.0), ("sd:xl", -0.5))
    assert loras_of(text_of_loras(loras)) == loras
