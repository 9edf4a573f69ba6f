"""psd-tools moves monthly: what of it is private and used all the same, and where it may be used at all."""

import ast
import io
from pathlib import Path

import acetate.document
from PIL import Image
from psd_tools import PSDImage
from psd_tools.api.layers import Group

FOLDER = Path(acetate.document.__file__).parent


def test_only_one_room_knows_the_library():
    users = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            users |= {path.relative_to(FOLDER).parts[0] for module in modules if module.split(".")[0] == "psd_tools"}
    assert users == {"photoshop"}


def test_the_record_can_be_written_and_the_layer_count_set():
    psd = PSDImage.frompil(Image.new("RGBA", (2, 2)))
    psd.create_pixel_layer(Image.new("RGBA", (2, 2)), "layer")
    psd._record.layer_and_mask_information.layer_info.layer_count = -1
    file = io.BytesIO()
    psd._record.write(file)
    file.seek(0)
    assert PSDImage.open(file)._record.layer_and_mask_information.layer_info.layer_count == -1


def test_the_records_of_layers_and_pictures_have_the_fields_that_are_read():
    psd = PSDImage.frompil(Image.new("RGBA", (2, 2)))
    layer = psd.create_pixel_layer(Image.new("RGBA", (2, 2)), "layer")
    assert [tuple(pair) for pair in layer._record.blending_ranges.composite_ranges] == [(0, 65535), (0, 65535)]
    assert psd._record.header.channels == 4
    assert psd._record.image_data.data


def test_creating_a_layer_with_any_name_still_fails_without_the_detour():
    """When this fails the detour over the name's setter can go."""
    psd = PSDImage.frompil(Image.new("RGBA", (2, 2)))
    psd.create_pixel_layer(Image.new("RGBA", (2, 2)), "apple 🍎")
    try:
        psd._record.write(io.BytesIO())
    except UnicodeEncodeError:
        return
    raise AssertionError("psd-tools writes names outside Mac Roman now")


def test_a_group_is_still_pass_through_unless_told_otherwise():
    psd = PSDImage.frompil(Image.new("RGBA", (2, 2)))
    assert isinstance(psd.create_group(), Group)
    assert psd[0].blend_mode.name == "PASS_THROUGH"
