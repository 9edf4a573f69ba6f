import pytest
from acetate.vocabulary.working_sizes import Drawn, NativeSizes

SDXL = NativeSizes(1024)
SKETCHPAD = NativeSizes(128, square_only=True)


@pytest.mark.parametrize(
    ("sizes", "asked", "fit", "drawn"),
    [
        (SDXL, (1024, 1024), "cover", Drawn(1024, 1024, 1.0)),
        (SDXL, (1216, 832), "cover", Drawn(1216, 832, 1.0)),
        (SDXL, (4096, 4096), "cover", Drawn(1536, 1536, 2.667)),
        (SDXL, (256, 256), "cover", Drawn(724, 724, 0.354)),
        (SKETCHPAD, (512, 512), "cover", Drawn(128, 128, 4.0)),
        (SKETCHPAD, (640, 320), "cover", Drawn(128, 128, 2.5)),
        (SKETCHPAD, (640, 320), "contain", Drawn(128, 64, 5.0)),
    ],
)
def test_a_picture_is_drawn_at_a_size_that_the_model_knows_and_enlarged_to_the_one_that_was_asked_for(
    sizes: NativeSizes, asked: tuple[int, int], fit: str, drawn: Drawn
) -> None:
    assert sizes.drawn(*asked, fit) == drawn  # type: ignore[arg-type]
