import pytest
from acetate.engine.pixels.working_canvas import WorkingSizes
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.pictures.expected_size import can_sharpen, expected_size, sharpening, working_place
from acetate.protocol import Box, Drawn, Engine

SKETCHPAD = {"name": "sketchpad", "family": "sketchpad", "sizes": {"native": 128, "square_only": True}}
SDXL = {"name": "my sdxl", "family": "sdxl", "sizes": {"native": 1024}}
BOX = Box(0, 0, 2048, 2048)


def offers(*models, **details):
    return Offers(Engine("ready", models=models, details=details))


@pytest.mark.parametrize(
    ("form", "box", "drawn"),
    [
        (Form(), BOX, Drawn(128, 128, 16.0)),
        (Form(model="my sdxl"), BOX, Drawn(1536, 1536, 1.333)),
        (Form(model="my sdxl"), Box(0, 0, 1024, 1024), Drawn(1024, 1024, 1.0)),
        (Form(), Box(0, 0, 256, 128), Drawn(128, 128, 1.0)),
        (Form(task="refine"), Box(0, 0, 256, 128), Drawn(128, 64, 2.0)),
        (Form(task="upscale"), BOX, None),
        (Form(task="repaint"), BOX, None),
        (Form(model="of another machine"), BOX, None),
    ],
)
def test_the_size_is_known_before_the_click_where_the_server_says_what_its_models_draw(form, box, drawn):
    assert expected_size(offers(SKETCHPAD, SDXL), form, box) == drawn


def test_a_server_that_says_nothing_or_more_than_is_known_gives_no_size():
    assert expected_size(Offers(), Form(), BOX) is None
    assert expected_size(offers({"name": "new", "sizes": {"native": 8, "shape": "round"}}), Form(), BOX) is None


def test_an_enlarged_picture_can_be_drawn_anew_where_something_redraws_or_enlarges_well():
    assert not can_sharpen(offers(SKETCHPAD))
    assert can_sharpen(offers(SKETCHPAD, SDXL)) and can_sharpen(offers(SKETCHPAD, upscalers=["4x"]))


def test_drawing_anew_keeps_size_and_words_and_takes_the_upscaler_that_is_there():
    asked = sharpening(offers(SDXL, upscalers=["4x"]), Form(prompt="a fig", original="hide"), "a kite")
    assert (asked.task, asked.scale, asked.prompt, asked.upscaler) == ("upscale", 1.0, "a kite", "4x")
    assert asked.complaint(BOX) is None


@pytest.mark.parametrize("target", [(320, 240), (240, 320), (512, 512), (2000, 300), (1085, 830)])
@pytest.mark.parametrize("sizes", [WorkingSizes(128, square_only=True), WorkingSizes(1024, multiple_of=64)])
@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_the_preview_lies_where_the_final_picture_will_lie(target, sizes, fit):
    canvas = sizes.frame(*target, fit)
    scale = target[0] / canvas.scaled[0]
    final = Box(0, 0, *target).centred(*(round(side * scale) for side in canvas.working))
    seen = working_place(Box(0, 0, *target), *canvas.working, from_nothing=fit == "cover")
    rounding_up = 2 + max(target) * sizes.multiple_of / min(canvas.scaled) * (not sizes.square_only)
    ends = zip((seen.x, seen.y, seen.right, seen.bottom), (final.x, final.y, final.right, final.bottom), strict=True)
    assert max(abs(one - other) for one, other in ends) <= rounding_up
