import numpy as np
import pytest
from acetate.document.effects.silhouettes import distance, grown, shifted, softened


def dot(side=15):
    alpha = np.zeros((side, side), np.float32)
    alpha[side // 2, side // 2] = 1
    return alpha


def test_distance_is_that_to_the_edge_of_the_nearest_covered_pixel():
    """Euclidean from centre to centre, less the half pixel to the edge."""
    y, x = np.mgrid[:15, :15] - 7
    assert distance(dot(), 5)[np.hypot(x, y) <= 5] == pytest.approx((np.hypot(x, y) - 0.5)[np.hypot(x, y) <= 5], abs=1e-5)


def test_a_pixel_that_is_half_covered_has_the_edge_in_its_middle():
    alpha = np.array([[1, 0.5, 0, 0]], np.float32)
    assert distance(alpha, 3)[0].tolist() == pytest.approx([-0.5, 0, 1, 2])


def test_distances_agree_with_a_search_over_all_pixels():
    alpha = (np.random.default_rng(3).random((20, 30)) > 0.98).astype(np.float32)
    rows, columns = np.nonzero(alpha)
    y, x = np.mgrid[:20, :30]
    true = np.hypot(y[..., None] - rows, x[..., None] - columns).min(axis=-1) - 0.5
    near = true < 6
    assert distance(alpha, 6)[near] == pytest.approx(true[near], abs=1e-5)


def test_a_grown_dot_is_a_disc_of_the_area_that_its_radius_says():
    assert grown(dot(31), 9.5).sum() == pytest.approx(np.pi * 10**2, rel=0.02)
    assert np.array_equal(grown(dot(), 0), dot())


def test_softening_keeps_what_is_covered_and_spreads_it():
    square = np.zeros((60, 60), np.float32)
    square[20:40, 20:40] = 1
    soft = softened(square, 8)
    assert soft.sum() == pytest.approx(square.sum(), rel=0.01)
    assert soft[30, 20] == pytest.approx(0.5, abs=0.06)
    assert 0 < soft[30, 14] < soft[30, 17] < soft[30, 22] < 1
    assert np.array_equal(softened(square, 0), square)


def test_what_is_shifted_out_is_gone_and_what_comes_in_is_what_lies_outside():
    values = np.array([[1, 2], [3, 4]], np.float32)
    assert shifted(values, 1, 0).tolist() == [[0, 1], [0, 3]]
    assert shifted(values, 0, -1, 9).tolist() == [[3, 4], [9, 9]]
    assert shifted(values, 5, 5, 7).tolist() == [[7, 7], [7, 7]]
