"""A PSD to be filled."""

import pytest
from psd_tools import PSDImage

from tests.document.photoshop.made import SIZE


@pytest.fixture
def psd():
    """An empty RGBA file of 12 x 10 pixels, to be filled."""
    return PSDImage.new("RGBA", SIZE)
