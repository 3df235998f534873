"""The loops that the pages of the images share: against SciPy; and the photograph."""

import numpy as np
import pytest
import small_window
from scipy.signal import correlate2d
from sklearn.datasets import load_sample_image


@pytest.mark.parametrize("shapes", [((5, 5), (3, 3)), ((4, 7), (2, 3)), ((3, 3), (3, 3)), ((6, 4), (1, 1))])
def test_the_loops_compute_a_cross_correlation(shapes):
    rng = np.random.default_rng(0)
    X, W = map(rng.standard_normal, shapes)
    np.testing.assert_allclose(small_window.feature_map(X, W), correlate2d(X, W, mode="valid"), atol=1e-12)
    np.testing.assert_allclose(
        small_window.feature_map(X.tolist(), W, 0.5), 0.5 + correlate2d(X, W, mode="valid"), atol=1e-12
    )


def test_a_filter_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"W must fit into the picture, \(2, 5\); got \(3, 3\)"):
        small_window.feature_map(np.ones((2, 5)), np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"X and W must be tables; got the shapes \(2, 5, 1\) and \(3, 3\)"):
        small_window.feature_map(np.ones((2, 5, 1)), np.ones((3, 3)))


def test_the_photograph_is_small_and_grey():
    photo = small_window.pagoda()
    assert photo.shape == (96, 96)
    assert 0 <= photo.min() < 0.2
    assert 0.8 < photo.max() <= 1
    assert photo[:8, :40].mean() > 0.75  # the sky
    china = load_sample_image("china.jpg").astype(float)
    for row, column in ((0, 0), (95, 95), (40, 17)):
        part = china[25 + 3 * row : 28 + 3 * row, 60 + 3 * column : 63 + 3 * column]
        assert part.shape == (3, 3, 3)
        assert photo[row, column] == pytest.approx(part.sum() / (27 * 255), abs=1e-12)
